#include "keyturnd/fleets.hpp"

#include "other_program.hpp"

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

Result<std::string> find_keyturnd_fleet() {
    std::string path = find_program({"../libexec/keyturn", "../keyturnd-fleet"}, "keyturnd-fleet");
    if (!path.empty()) return path;
    return Error{Fault::missing,
                 "the `coordinator:` of a tunnel needs the program keyturnd-fleet, which is not "
                 "there: install keyturn again",
                 {}};
}

}  // namespace keyturn
