#include "fakes/rotation_world.hpp"

#include "base/invariant.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

constexpr const char* tunnel_id = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

std::string log_name(const InspectTunnel&) {
    return "inspect tunnel";
}
std::string log_name(const ReadToken&) {
    return "read token";
}
std::string log_name(const ListConnectors&) {
    return "list connectors";
}
std::string log_name(const InspectUnits&) {
    return "inspect units";
}
std::string log_name(const SampleUnits&) {
    return "sample";
}
std::string log_name(const CheckFiles&) {
    return "check files";
}
std::string log_name(const PrepareSecret&) {
    return "prepare";
}
std::string log_name(const SaveRecord& action) {
    return fmt::format("save {}", name_of(action.record.phase));
}
std::string log_name(const CommitSecret&) {
    return "patch";
}
std::string log_name(const DeliverToken&) {
    return "deliver";
}
std::string log_name(const PutBackToken&) {
    return "put back";
}
std::string log_name(const AdoptToken&) {
    return "adopt";
}
std::string log_name(const TakeBackSecret&) {
    return "take back";
}
std::string log_name(const WipeOldSecret&) {
    return "wipe old";
}
std::string log_name(const EvictConnector& action) {
    return "evict " + (action.id.empty() ? "all" : action.id);
}
std::string log_name(const StopUnit& action) {
    return "stop " + action.unit;
}
std::string log_name(const RestartUnit& action) {
    return "restart " + action.unit;
}
std::string log_name(const Wait&) {
    return "wait";
}
std::string log_name(const ForgetSecrets&) {
    return "forget";
}
std::string log_name(const Conclude& action) {
    return "conclude " + action.entry.outcome;
}

}  // namespace

ReadToken::Holder RotationWorld::holder_of(Token token) const {
    if (token == Token::foreign || (token == Token::old && old_wiped)) {
        return ReadToken::Holder::other;
    }
    return token == fresh() ? ReadToken::Holder::ours : ReadToken::Holder::previous;
}

RotationWorld::RotationWorld(std::vector<std::string> unit_names) : order(std::move(unit_names)) {
    policy.name = "web";
    policy.account = "699d98642c564d2e855e9661899b7252";
    policy.tunnel = tunnel_id;
    policy.units = order;
    for (const std::string& name : order) {
        Unit& unit = units[name];
        unit.state.name = name;
        bring_up(unit);
        unit.readiness->connections = unit.connections_full;
    }
    fewest_serving = static_cast<int>(order.size());
}

void RotationWorld::add_surge(const std::string& name) {
    order.push_back(name);
    Unit& unit = units[name];
    unit.surge = true;
    unit.state.name = name;
    unit.state.load_state = "loaded";
    stop(unit);
}

RotationWorld::Unit& RotationWorld::unit(const std::string& name) {
    return units.at(name);
}

void RotationWorld::start(bool retry) {
    RotationInputs inputs;
    inputs.policy = policy;
    inputs.trigger = "test";
    inputs.scheduled = scheduled;
    inputs.accept_gap = accept_gap;
    inputs.takes_over = takes_over;
    inputs.compromised = compromised;
    inputs.evict_all = evict_all;
    inputs.superseded = superseded;
    inputs.paused = paused;
    inputs.retired = retired;
    inputs.record = disk_record;
    if (retry && inputs.record && inputs.record->hold) {
        inputs.retried = true;
        inputs.acknowledged_unit = inputs.record->hold->unit;
        inputs.record->hold.reset();
    }
    rotation = std::make_unique<Rotation>(std::move(inputs), now, wall_now);
}

void RotationWorld::crash_and_restart() {
    rotation.reset();
    start();
}

bool RotationWorld::step() {
    for (Event& event : rotation->take_events()) events.push_back(std::move(event));
    if (rotation->ended()) return false;
    const Action action = rotation->action();
    Answer answer = std::visit([this](const auto& asked) { return perform(asked); }, action);
    rotation->answer(std::move(answer), now, wall_now);
    for (Event& event : rotation->take_events()) events.push_back(std::move(event));
    fewest_serving = std::min(fewest_serving, serving());
    return !rotation->ended();
}

void RotationWorld::run(std::size_t steps) {
    const auto durably_held = [&] { return held() && disk_record && disk_record->hold; };
    while (steps-- > 0 && !durably_held()) {
        if (!step()) return;
    }
}

int RotationWorld::serving() const {
    return static_cast<int>(std::ranges::count_if(units, [](const auto& entry) {
        const Unit& unit = entry.second;
        return SampleUnits::Sample{unit.state, unit.readiness}.serving();
    }));
}

std::size_t RotationWorld::count(const std::string& logged) const {
    return static_cast<std::size_t>(std::ranges::count(log, logged));
}

bool RotationWorld::told(EventKind kind) const {
    return last(kind) != nullptr;
}

const Event* RotationWorld::last(EventKind kind) const {
    const auto found = std::find_if(events.rbegin(), events.rend(),
                                    [&](const Event& event) { return event.kind == kind; });
    return found == events.rend() ? nullptr : &*found;
}

template <class Asked>
Answer RotationWorld::perform(const Asked& action) {
    const std::string name = log_name(action);
    if (before_action) before_action(name);
    log.push_back(name);
    const bool fault = !faults.empty() && faults.front().action == name;
    if (!fault) return Answered<Asked>{act(action)};
    const FaultOnce once = faults.front();
    faults.pop_front();
    if (once.applied) static_cast<void>(act(action));
    return Answered<Asked>{once.error};
}

void RotationWorld::bring_up(Unit& unit) {
    const int id = next_id_++;
    unit.state.load_state = "loaded";
    unit.state.active_state = "active";
    unit.state.sub_state = "running";
    unit.state.result = "success";
    unit.state.main_pid = static_cast<std::uint32_t>(1000 + id);
    unit.state.invocation = fmt::format("{:032x}", id);
    unit.token = file_token;
    unit.came_up = now;
    unit.readiness = Readiness{fmt::format("connector-{}", id), tunnel_id, 1, true};
    if (unit.token != api_token) unit.readiness->connections = 0;
    unit.readiness->serving = unit.token == api_token;
}

void RotationWorld::stop(Unit& unit) {
    unit.state.active_state = "inactive";
    unit.state.sub_state = "dead";
    unit.state.main_pid = 0;
    unit.readiness.reset();
}

void RotationWorld::let_time_pass() {
    for (auto& [name, unit] : units) {
        if (!unit.state.running()) continue;
        if (unit.fate == Fate::dies_later && unit.restarts > 0 &&
            now - unit.came_up >= unit.lifetime) {
            unit.state.active_state = unit.state.sub_state = "failed";
            unit.state.result = "exit-code";
            unit.state.main_pid = 0;
            unit.readiness.reset();
            continue;
        }
        const bool full = now - unit.came_up >= std::chrono::seconds{2};
        const bool fresh = unit.restarts > 0 && unit.token == api_token;
        if (full && fresh && unit.readiness) {
            const int lost = unit.fate == Fate::one_short ? 1 : 0;
            unit.readiness->connections = unit.connections_full - lost;
        }
    }
}

Result<InspectTunnel::Value> RotationWorld::act(const InspectTunnel&) {
    return InspectTunnel::Value{tunnel_deleted, "healthy"};
}

Result<ReadToken::Value> RotationWorld::act(const ReadToken&) {
    ReadToken::Value value;
    value.holder = holder_of(token_read_is_stale ? Token::old : api_token);
    value.fingerprint = api_token == Token::ours  ? "new"
                        : api_token == Token::old ? "old"
                                                  : "theirs";
    value.clock_ahead = Milliseconds{0};
    return value;
}

Result<ListConnectors::Value> RotationWorld::act(const ListConnectors&) {
    std::vector<Connector> connectors = foreign_connectors;
    connectors.insert(connectors.end(), ghosts.begin(), ghosts.end());
    for (const auto& [name, unit] : units) {
        if (!SampleUnits::Sample{unit.state, unit.readiness}.serving()) continue;
        if (unit.fate == Fate::not_listed && unit.restarts > 0) continue;
        connectors.push_back(Connector{unit.readiness->connector_id, "192.0.2.1", "", "", 4});
    }
    return connectors;
}

Result<InspectUnits::Value> RotationWorld::act(const InspectUnits&) {
    InspectUnits::Value value;
    for (const std::string& name : order) {
        const Unit& unit = units.at(name);
        value.push_back({name, unit.problem, std::chrono::seconds{45}, unit.surge});
    }
    return value;
}

Result<SampleUnits::Value> RotationWorld::act(const SampleUnits& action) {
    SampleUnits::Value value;
    for (const std::string& name : action.names) {
        value.push_back({units.at(name).state, units.at(name).readiness});
    }
    return value;
}

Result<CheckFiles::Value> RotationWorld::act(const CheckFiles&) {
    return CheckFiles::Value{"old", false};
}

Result<PrepareSecret::Value> RotationWorld::act(const PrepareSecret& action) {
    if (!pending_kept || !action.superseded.empty()) ++secrets_made;
    pending_kept = true;
    return PrepareSecret::Value{"0123456789abcdef0123456789abcdef", "old", "new"};
}

Result<void> RotationWorld::act(const SaveRecord& action) {
    disk_record = action.record;
    return {};
}

Result<CommitSecret::Value> RotationWorld::act(const CommitSecret&) {
    invariant(pending_kept && disk_record && disk_record->phase == Phase::commit,
              "the secret is kept and the record durable before the PATCH");
    ++patches;
    api_token = fresh();
    return CommitSecret::Value{true};
}

Result<DeliverToken::Value> RotationWorld::act(const DeliverToken&) {
    file_token = fresh();
    return DeliverToken::Value{std::chrono::microseconds{800}};
}

Result<void> RotationWorld::act(const PutBackToken&) {
    file_token = taken_back ? Token::ours : Token::old;
    return {};
}

Result<void> RotationWorld::act(const TakeBackSecret& action) {
    taken_back = action.fingerprint == "old";
    return {};
}

Result<void> RotationWorld::act(const WipeOldSecret&) {
    old_wiped = true;
    return {};
}

Result<void> RotationWorld::act(const EvictConnector& action) {
    std::erase_if(foreign_connectors, [&](const Connector& connector) {
        return action.id.empty() || connector.id == action.id;
    });
    for (auto& [name, unit] : units) {
        const bool dropped = action.id.empty() && unit.token != api_token;
        if (dropped && unit.readiness) unit.readiness->connections = 0;
    }
    return {};
}

Result<AdoptToken::Value> RotationWorld::act(const AdoptToken& action) {
    // Their token is the rotation's own from now on, and what was ours is as dead as the old one.
    api_token = Token::ours;
    file_token = Token::old;
    taken_back = false;
    for (auto& [name, unit] : units) unit.token = Token::old;
    return AdoptToken::Value{"fedcba9876543210fedcba9876543210", action.fingerprint};
}

Result<JobResult> RotationWorld::act(const RestartUnit& action) {
    if (now > action.not_after) return Error{Fault::busy, "stood still", {}};
    Unit& unit = units.at(action.unit);
    const UnitProgress* progress = disk_record->find(action.unit);
    invariant(progress != nullptr && progress->step == UnitStep::restarting,
              "a restart is recorded before it is made");
    invariant(file_token == api_token, "nothing restarts on a token that the API does not hold");
    const SampleUnits::Sample own{unit.state, unit.readiness};
    const int others = serving() - (own.serving() ? 1 : 0);
    invariant(!own.serving() || others >= policy.rollout.min_available || accept_gap || evict_all,
              "enough others serve when a serving unit is restarted");
    if (unit.fate == Fate::canceled) return JobResult::canceled;
    ++unit.restarts;
    bring_up(unit);
    if (unit.fate == Fate::done_but_dead) {
        stop(unit);
        unit.state.invocation.clear();
    }
    if (unit.fate == Fate::fails) {
        unit.state.active_state = unit.state.sub_state = "failed";
        unit.state.main_pid = 0;
        unit.readiness.reset();
        return JobResult::failed;
    }
    if (unit.fate == Fate::never_ready) {
        unit.state.active_state = "activating";
        unit.state.sub_state = "auto-restart";
        unit.readiness.reset();
        now += std::chrono::seconds{15};
        return JobResult::failed;
    }
    return action.deadline > Milliseconds{0} ? JobResult::done : JobResult::queued;
}

Result<JobResult> RotationWorld::act(const StopUnit& action) {
    if (now > action.not_after) return Error{Fault::busy, "stood still", {}};
    Unit& unit = units.at(action.unit);
    const SampleUnits::Sample own{unit.state, unit.readiness};
    invariant(!own.serving() || serving() > policy.rollout.min_available,
              "enough others serve when a serving unit is stopped");
    stop(unit);
    return JobResult::done;
}

Result<void> RotationWorld::act(const Wait& action) {
    const Milliseconds passed = std::max(Milliseconds{0}, Milliseconds{action.until - now});
    now += passed;
    wall_now += passed;
    let_time_pass();
    return {};
}

Result<void> RotationWorld::act(const ForgetSecrets&) {
    pending_kept = false;
    return {};
}

Result<void> RotationWorld::act(const Conclude& action) {
    disk_record.reset();
    history.push_back(action.entry);
    return {};
}

}  // namespace keyturn
