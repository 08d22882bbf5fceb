#pragma once

#include "policy/policy.hpp"
#include "time/moment.hpp"

#include <optional>

namespace keyturn {

/// When a tunnel is due. No history is no reason to rotate: without a last rotation the age
/// counts from `first_seen`. Nothing when the policy rotates on demand only. Calendars, windows and
/// freezes will narrow this one answer; nobody else decides when to start.
[[nodiscard]] std::optional<WallTime> next_due(const RotatePolicy& policy, WallTime first_seen,
                                               std::optional<WallTime> last_done);

}  // namespace keyturn
