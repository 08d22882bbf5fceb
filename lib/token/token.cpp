#include "token/token.hpp"
