#pragma once

#include "policy/policy.hpp"

#include <string>

namespace keyturn {

/// Describes each tunnel of a policy in a few lines, so that a person can check that the policy
/// says what they meant: calendars in their normal form, each with its next moments after `now`.
[[nodiscard]] std::string summary(const Policy& policy, WallTime now);

}  // namespace keyturn
