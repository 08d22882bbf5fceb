#include "rotation/record.hpp"
