#include "state/state_store.hpp"
