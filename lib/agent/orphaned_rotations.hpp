#pragma once

#include "journal/event.hpp"
#include "policy/policy.hpp"

#include <vector>

namespace keyturn {

class StateStore;

/// Returns an alert for each open rotation whose tunnel is not in the policy, because keyturnd will
/// not finish it. Returns an error event for each recorded state that cannot be read.
[[nodiscard]] std::vector<Event> orphaned_rotations(StateStore& states,
                                                    const std::vector<TunnelPolicy>& tunnels);

}  // namespace keyturn
