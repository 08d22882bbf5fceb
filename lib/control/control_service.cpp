#include "control/control_service.hpp"
