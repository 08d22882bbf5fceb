#include "keyturnd/fleets.hpp"

#include <algorithm>

namespace keyturn {

Error no_fleet() {
    return Error{
        Fault::conflict,
        "the policy has no `coordinator:` for this tunnel, so all its units are on this host",
        {}};
}

bool needs_fleets(const Policy& policy) {
    return std::ranges::any_of(
        policy.tunnels, [](const TunnelPolicy& tunnel) { return tunnel.coordinator.has_value(); });
}

}  // namespace keyturn
