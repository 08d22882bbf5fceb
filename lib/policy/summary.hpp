#pragma once

#include "policy/policy.hpp"

#include <string>

namespace keyturn {

/// What a policy says of each tunnel, in lines for a person who wants to know whether it is what
/// was meant: calendars in their normal form, and the next moments of each after `now`.
[[nodiscard]] std::string summary(const Policy& policy, WallTime now);

}  // namespace keyturn
