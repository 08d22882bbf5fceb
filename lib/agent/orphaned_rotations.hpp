#pragma once

#include "journal/event.hpp"
#include "policy/policy.hpp"

#include <vector>

namespace keyturn {

class StateStore;

/// An alarm for each rotation that is open on the disk although its tunnel is not in the policy:
/// nobody will finish it. A state that cannot be read is told of, too.
[[nodiscard]] std::vector<Event> orphaned_rotations(StateStore& states,
                                                    const std::vector<TunnelPolicy>& tunnels);

}  // namespace keyturn
