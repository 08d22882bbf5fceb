#include "delivery/token_store.hpp"
