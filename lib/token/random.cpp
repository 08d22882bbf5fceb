#include "token/random.hpp"
