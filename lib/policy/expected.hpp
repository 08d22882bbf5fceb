#pragma once

#include "policy/policy.hpp"

#include <cstddef>

namespace keyturn {

/// How long a rotation over `units` units is expected to take when nothing goes wrong: what the
/// policy makes it wait, and a few seconds for each restart. Real ones may take longer, because
/// they wait where waiting is safer.
[[nodiscard]] Milliseconds expected_duration(const RolloutPolicy& rollout, std::size_t units);

}  // namespace keyturn
