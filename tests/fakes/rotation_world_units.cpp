// The units of that world: how they start, decay and die, and what a restart does.

#include "base/invariant.hpp"
#include "fakes/rotation_world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

void RotationWorld::Unit::stop() {
    keyturn::stop(state);
    readiness.reset();
}

void RotationWorld::Unit::fail() {
    keyturn::fail(state);
    readiness.reset();
}

void RotationWorld::Unit::begin_start(const std::string& process) {
    state.active_state = "activating";
    state.sub_state = "start";
    state.main_pid = 0;
    state.invocation = process;
    readiness.reset();
}

void RotationWorld::Unit::come_up(const std::string& process, Token read, int connections) {
    state = running(state.name, process);
    token = read;
    readiness = Readiness{process, tunnel_id, connections, connections > 0};
}

void RotationWorld::Unit::replace_process(const std::string& process) {
    state.invocation = process;
    readiness->connector_id = process;
}

void RotationWorld::Unit::lose_connections() {
    token = Token::foreign;
    readiness->connections = 0;
}

void RotationWorld::bring_up(Unit& unit) {
    const int id = next_id_++;
    unit.state = running(unit.state.name, fmt::format("{:032x}", id));
    unit.state.main_pid = static_cast<std::uint32_t>(1000 + id);
    unit.token = unit.source.value_or(file_token);
    unit.came_up = now;
    unit.readiness = Readiness{fmt::format("connector-{}", id), tunnel_id, 1, true};
    if (unit.token != api_token) unit.readiness->connections = 0;
    unit.readiness->serving = unit.token == api_token;
}

void RotationWorld::let_time_pass() {
    for (auto& [name, unit] : units) {
        if (!unit.state.running()) continue;
        if (unit.fate == Fate::dies_later && unit.restarts > 0 &&
            now - unit.came_up >= unit.lifetime) {
            unit.fail();
            unit.state.result = "exit-code";
            continue;
        }
        const bool connects = now - unit.came_up >= std::chrono::seconds{2};
        const bool fresh = unit.restarts > 0 && unit.token == api_token;
        if (connects && fresh && unit.readiness) {
            const int lost = unit.fate == Fate::one_short ? 1 : 0;
            unit.readiness->connections = unit.connections_full - lost;
        }
    }
}

Result<InspectUnits::Value> RotationWorld::act(const InspectUnits& action) {
    const Error silent{Fault::busy, "systemd cannot ask polkit", {}};
    if (polkit_gone && action.must_know) return silent;
    if (bus_down) return Error{Fault::unreachable, "systemd does not answer", {}};
    InspectUnits::Value value;
    for (const std::string& name : order) {
        const Unit& unit = units.at(name);
        value.push_back({name, unit.problem, std::chrono::seconds{45}, unit.surge, {}});
        if (unit.source && !unit.problem) {
            value.back().problem = "its token is in its own file";
            value.back().elsewhere = true;
        }
        if (unit.refused) value.back().not_allowed = "polkit does not allow restarting it";
        if (polkit_gone) value.back().not_allowed = silent.text;
    }
    return value;
}

Result<SampleUnits::Value> RotationWorld::act(const SampleUnits& action) {
    if (bus_down) return Error{Fault::unreachable, "systemd does not answer", {}};
    SampleUnits::Value value;
    for (const std::string& name : action.names) {
        const Unit& unit = units.at(name);
        value.push_back({unit.state, unit.readiness, "", unit.behind});
        if (unit.silent.empty()) continue;
        value.back().readiness.reset();
        value.back().unasked = unit.silent;
    }
    return value;
}

Result<void> RotationWorld::ask_polkit(const Unit& unit) const {
    if (polkit_gone) return Error{Fault::busy, "systemd cannot ask polkit", {}};
    if (unit.refused) return Error{Fault::denied, "polkit does not allow it", {}};
    return {};
}

Result<RestartResult> RotationWorld::act(const RestartUnit& action) {
    if (now > action.not_after) return Error{Fault::busy, "the process was stopped", {}};
    if (bus_down) return Error{Fault::unreachable, "systemd does not answer", {}};
    Unit& unit = units.at(action.unit);
    const UnitProgress* progress = disk_record->find(action.unit);
    invariant(progress != nullptr && progress->step == UnitStep::restarting,
              "a restart must be recorded before it is made");
    invariant(file_token == api_token, "no unit may restart on a token that the API does not have");
    const SampleUnits::Sample own{unit.state, unit.readiness, ""};
    const int others = serving() - (own.serves() ? 1 : 0);
    invariant(!own.serves() || others >= policy.rollout.min_available || request.accept_gap ||
                  request.evict_all,
              "enough others must serve when a serving unit is restarted");
    if (const auto allowed = ask_polkit(unit); !allowed) return allowed.error();
    if (unit.fate == Fate::canceled) return JobResult::canceled;
    ++unit.restarts;
    bring_up(unit);
    if (unit.fate == Fate::done_but_dead) {
        unit.stop();
        unit.state.invocation.clear();
    }
    if (unit.fate == Fate::fails) {
        unit.fail();
        return JobResult::failed;
    }
    if (unit.fate == Fate::never_ready) {
        unit.state.active_state = "activating";
        unit.state.sub_state = "auto-restart";
        unit.readiness.reset();
        now += std::chrono::seconds{15};
        return JobResult::failed;
    }
    RestartResult restarted(action.deadline > Milliseconds{0} ? JobResult::done
                                                              : JobResult::queued);
    if (unit.not_reset) restarted.not_reset = "polkit does not allow resetting its start limit";
    return restarted;
}

Result<JobResult> RotationWorld::act(const StopUnit& action) {
    if (now > action.not_after) return Error{Fault::busy, "the process was stopped", {}};
    Unit& unit = units.at(action.unit);
    const SampleUnits::Sample own{unit.state, unit.readiness, ""};
    invariant(!own.serves() || serving() > policy.rollout.min_available,
              "enough others must serve when a serving unit is stopped");
    if (const auto allowed = ask_polkit(unit); !allowed) return allowed.error();
    unit.stop();
    return JobResult::done;
}

}  // namespace keyturn
