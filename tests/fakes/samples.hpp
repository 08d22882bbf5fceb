#pragma once

#include "base/error.hpp"
#include "fakes/web_tunnel.hpp"
#include "model/connector.hpp"
#include "rotation/action.hpp"

#include <string>

// What systemd, a connector and Cloudflare report about one unit.

namespace keyturn {

/// The number of connections that a healthy connector has.
inline constexpr int full = 4;

inline UnitState running(const std::string& name, const std::string& invocation) {
    UnitState state;
    state.name = name;
    state.load_state = "loaded";
    state.active_state = "active";
    state.sub_state = "running";
    state.result = "success";
    state.main_pid = 4711;
    state.invocation = invocation;
    return state;
}

inline void stop(UnitState& state) {
    state.active_state = "inactive";
    state.sub_state = "dead";
    state.main_pid = 0;
}

inline void fail(UnitState& state) {
    state.active_state = state.sub_state = "failed";
    state.main_pid = 0;
}

/// It serves with all connections as this connector, which does not name its tunnel.
inline SampleUnits::Sample serving(const std::string& invocation, const std::string& connector,
                                   const std::string& name = {}) {
    return {running(name, invocation), Readiness{connector, "", full, true}, ""};
}

/// It is up and has no connection.
inline SampleUnits::Sample idle(const std::string& invocation, const std::string& connector) {
    SampleUnits::Sample sample = serving(invocation, connector);
    sample.readiness->connections = 0;
    return sample;
}

/// It is up and does not answer /ready.
inline SampleUnits::Sample silent(const std::string& invocation) {
    return {running("", invocation), {}, "its metrics server does not answer"};
}

inline SampleUnits::Sample stopped(const std::string& name = {}) {
    SampleUnits::Sample sample{running(name, ""), {}, ""};
    stop(sample.state);
    return sample;
}

/// As Cloudflare lists a connector.
inline Connector listed(const std::string& id, const std::string& address = our_address,
                        int connections = full) {
    return {id, address, "", "", connections};
}

inline const Connector thief = listed("thief", other_address);
/// Comes from the address that our own connectors come from.
inline const Connector neighbour = listed("neighbour");

inline const Error no_answer{Fault::unreachable, "no answer", {}};
inline const Error no_right{Fault::denied, "it may not", {}};
inline const Error answer_lost{Fault::ambiguous, "the answer was lost", {}};
inline const Error disk_full{Fault::storage, "No space left on device", {}};

}  // namespace keyturn
