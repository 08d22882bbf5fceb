#include "fakes/rotation_world.hpp"

#include "base/invariant.hpp"
#include "fakes/rotation_world_names.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace keyturn {

RotationWorld::RotationWorld(const std::vector<std::string>& unit_names) : policy(web_policy({})) {
    for (const std::string& name : unit_names) add_unit(name);
}

void RotationWorld::add_unit(const std::string& name) {
    policy.units.push_back(name);
    const auto surges = [&](const std::string& known) { return units.at(known).surge; };
    order.insert(std::ranges::find_if(order, surges), name);
    Unit& unit = units[name];
    unit.state.name = name;
    bring_up(unit);
    unit.readiness->connections = unit.connections_full;
    ++fewest_serving;
}

void RotationWorld::leave_one_unit() {
    policy.units = order = {a};
    std::erase_if(units, [](const auto& entry) { return entry.first != a; });
    fewest_serving = 1;
}

void RotationWorld::add_surge() {
    order.push_back(extra);
    Unit& unit = units[extra];
    unit.surge = true;
    unit.state.name = extra;
    unit.state.load_state = "loaded";
    unit.stop();
}

void RotationWorld::be_quick() {
    policy.rollout.soak = std::chrono::seconds{4};
    policy.rollout.min_healthy_time = std::chrono::seconds{1};
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

void RotationWorld::rotate() {
    start();
    run();
}

void RotationWorld::crash_and_restart() {
    rotation.reset();
    start();
}

void RotationWorld::retry() {
    start(true);
    run();
}

void RotationWorld::pause() {
    paused = true;
    if (rotation) rotation->set_paused(true);
}

void RotationWorld::resume() {
    paused = false;
    rotation->set_paused(false);
    run();
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
    while (steps-- > 0 && !held_for()) {
        if (!step()) return;
    }
}

void RotationWorld::steps(std::size_t count) {
    while (count-- > 0) step();
}

bool RotationWorld::run_until(const std::function<bool()>& there) {
    for (std::size_t steps = 0; steps < steps_max && !there(); ++steps) {
        if (!step()) break;
    }
    return there();
}

bool RotationWorld::run_for(Milliseconds time) {
    const BootTime end = now + time;
    while (now < end) {
        if (!step()) return false;
    }
    return true;
}

bool RotationWorld::run_until(EventKind kind) {
    return run_until([&] { return told(kind); });
}

bool RotationWorld::run_until(const std::string& next) {
    return run_until([&] { return !rotation->ended() && next_action() == next; });
}

bool RotationWorld::rotate_until(const std::string& next) {
    start();
    return run_until(next);
}

bool RotationWorld::run_past(const std::string& next) {
    const bool there = run_until(next);
    if (there) step();
    return there;
}

std::optional<HoldReason> RotationWorld::held_for() const {
    if (!held() || !disk_record || !disk_record->hold) return std::nullopt;
    return disk_record->hold->reason;
}

int RotationWorld::restarts() const {
    int all = 0;
    for (const auto& [name, unit] : units) all += unit.restarts;
    return all;
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

BootTime RotationWorld::when(const std::string& logged) const {
    const auto found = std::ranges::find(log, logged);
    invariant(found != log.end(), "an action whose moment is asked for was performed");
    return log_times_.at(static_cast<std::size_t>(found - log.begin()));
}

std::vector<std::string> RotationWorld::restarted() const {
    const std::string restart = "restart ";
    std::vector<std::string> names;
    for (const std::string& name : log) {
        if (name.starts_with(restart)) names.push_back(name.substr(restart.size()));
    }
    return names;
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

std::optional<Outcome> RotationWorld::outcome() const {
    if (history.empty()) return std::nullopt;
    return history.back().outcome;
}

const Event* RotationWorld::last(EventKind kind) const {
    const auto found = std::find_if(events.rbegin(), events.rend(),
                                    [&](const Event& event) { return event.kind == kind; });
    return found == events.rend() ? nullptr : &*found;
}

std::size_t RotationWorld::count(EventKind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events, kind, &Event::kind));
}

std::string RotationWorld::message(EventKind kind) const {
    return told(kind) ? last(kind)->message : "";
}

void RotationWorld::fail_next(const std::string& action, const Error& error, int times) {
    faults.insert(faults.end(), static_cast<std::size_t>(times), {action, error});
}

void RotationWorld::before_each(std::function<void(const std::string&)> disturb) {
    before_each_.push_back(std::move(disturb));
}

void RotationWorld::before(const std::string& action, const Disturbance& disturb) {
    before_each([action, disturb](const std::string& next) {
        if (next == action) disturb();
    });
}

void RotationWorld::once_before(const std::string& action, const Disturbance& disturb) {
    before_each([action, disturb, done = false](const std::string& next) mutable {
        if (next == action && !std::exchange(done, true)) disturb();
    });
}

void RotationWorld::leave_alone() {
    before_each_.clear();
    faults.clear();
}

std::string RotationWorld::next_action() const {
    return std::visit([](const auto& asked) { return log_name(asked); }, rotation->action());
}

template <class Asked>
Answer RotationWorld::perform(const Asked& action) {
    const std::string name = log_name(action);
    for (const auto& disturb : before_each_) disturb(name);
    log.push_back(name);
    log_times_.push_back(now);
    const bool fault = !faults.empty() && faults.front().action == name;
    if (!fault) return Answered<Asked>{act(action)};
    const FaultOnce once = faults.front();
    faults.pop_front();
    if (once.applied) static_cast<void>(act(action));
    return Answered<Asked>{once.error};
}

}  // namespace keyturn
