#include "fakes/rotation_world.hpp"

#include "fakes/rotation_world_names.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace keyturn {

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
    inputs.request = request;
    inputs.superseded = superseded;
    inputs.proven = proven;
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
        return SampleUnits::Sample{unit.state, unit.readiness, ""}.serves();
    }));
}

std::size_t RotationWorld::count(const std::string& logged) const {
    return static_cast<std::size_t>(std::ranges::count(log, logged));
}

std::vector<std::string> RotationWorld::deeds() const {
    constexpr std::array quiet{"read ", "list ", "inspect ", "sample", "check ",
                               "save ", "wait",  "prepare",  "forget", "conclude "};
    std::vector<std::string> deeds;
    std::ranges::copy_if(log, std::back_inserter(deeds), [&](const std::string& name) {
        return std::ranges::none_of(quiet,
                                    [&](const char* word) { return name.starts_with(word); });
    });
    return deeds;
}

bool RotationWorld::run_until(const std::string& next, std::size_t steps) {
    while (steps-- > 0 && !rotation->ended()) {
        if (std::visit([](const auto& asked) { return log_name(asked); }, rotation->action()) ==
            next)
            return true;
        step();
    }
    return false;
}

void RotationWorld::retry_and_run() {
    start(true);
    run();
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

}  // namespace keyturn
