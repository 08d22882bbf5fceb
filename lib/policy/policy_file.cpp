#include "policy/policy_file.hpp"
