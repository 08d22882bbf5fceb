#include "schedule/due.hpp"

namespace keyturn {

std::optional<WallTime> next_due(const RotatePolicy& policy, WallTime first_seen,
                                 std::optional<WallTime> last_done) {
    if (policy.every <= Milliseconds{0}) return std::nullopt;
    return last_done.value_or(first_seen) + policy.every;
}

}  // namespace keyturn
