#include "units/unit_manager.hpp"
