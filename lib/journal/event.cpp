#include "journal/event.hpp"
