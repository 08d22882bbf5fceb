#include "bus/bus.hpp"
