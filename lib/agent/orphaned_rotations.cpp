#include "agent/orphaned_rotations.hpp"

#include "state/state_store.hpp"

#include <fmt/format.h>

#include <set>
#include <string_view>

namespace keyturn {

namespace {

Event unreadable(const std::string& what, const Error& error) {
    return {EventKind::state_unreadable, Priority::error,
            fmt::format("The recorded state of {} cannot be read: {}", what, error.text)};
}

Event orphaned(const std::string& tunnel, const RotationRecord& rotation) {
    Event event{EventKind::rotation_orphaned, Priority::alert,
                fmt::format("{} is not in the policy, but its rotation is open in phase {}. To let "
                            "keyturnd finish it, put the tunnel back into the policy under this "
                            "name",
                            tunnel, name_of(rotation.phase)),
                tunnel};
    event.rotation_id = rotation.rotation_id;
    event.phase = name_of(rotation.phase);
    event.fingerprint = rotation.new_fingerprint;
    return event;
}

}  // namespace

std::vector<Event> orphaned_rotations(StateStore& states,
                                      const std::vector<TunnelPolicy>& tunnels) {
    std::vector<Event> events;
    const Result<std::vector<std::string>> names = states.tunnels();
    if (!names) {
        events.push_back(unreadable("all tunnels", names.error()));
        return events;
    }
    std::set<std::string_view> in_policy;
    for (const TunnelPolicy& tunnel : tunnels) in_policy.insert(tunnel.name);
    for (const std::string& name : *names) {
        if (in_policy.contains(name)) continue;
        const Result<std::optional<TunnelState>> state = states.load(name);
        if (!state) {
            events.push_back(unreadable(name, state.error()));
            events.back().tunnel_name = name;
        }
        if (state && *state && (*state)->rotation) {
            events.push_back(orphaned(name, *(*state)->rotation));
        }
    }
    return events;
}

}  // namespace keyturn
