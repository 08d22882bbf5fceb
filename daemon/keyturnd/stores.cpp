// The stores in which the hosts of a fleet share an object.

#include "keyturnd/fleets.hpp"

