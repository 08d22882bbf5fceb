#pragma once

#include "policy/policy.hpp"

#include <cstddef>

namespace keyturn {

/// How long a rotation over `units` units takes if nothing goes wrong: the waits in the policy,
/// plus a few seconds for each restart. A real rotation may take longer, because keyturnd waits
/// wherever waiting is safer.
[[nodiscard]] Milliseconds expected_duration(const RolloutPolicy& rollout, std::size_t units);

}  // namespace keyturn
