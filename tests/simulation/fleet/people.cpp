#include "simulation/fleet/people.hpp"

#include "fleet/operator_transitions.hpp"

#include <fmt/format.h>

namespace keyturn::fleet_simulation {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// How often somebody looks.
constexpr Milliseconds look_interval_of_people = seconds{15};
/// Nobody decides at once.
constexpr Milliseconds patience = seconds{30};

}  // namespace

void People::begin() {
    world_.after(look_interval_of_people, [this] {
        look();
        begin();
    });
}

bool People::order_rotation(bool compromised) {
    Host* host = fleet_.any_living();
    if (host == nullptr) return false;
    RotationRequest request;
    request.trigger = "by hand";
    if (compromised) request.kind = RotationKind::compromise;
    const auto accepted = host->tunnel().request_rotation(request);
    if (!accepted) return false;
    world_.tell(fmt::format("a person orders a {} on {}", compromised ? "compromise" : "rotation",
                            host->label()));
    world_.saw(compromised ? "ordered: compromise" : "ordered: rotation");
    return true;
}

bool People::decide(Decision decision) {
    Host* host = fleet_.any_living();
    return host != nullptr && host->tunnel().decide(decision).has_value();
}

void People::pause_for(Milliseconds time) {
    if (!decide(Decision::pause)) return;
    world_.saw("ordered: pause");
    world_.tell("a person pauses");
    world_.after(time, [this] { static_cast<void>(decide(Decision::resume)); });
}

void People::ask_to_revert() {
    if (!fleet_.store.document().state.rotation) return;
    if (!decide(Decision::revert)) return;
    world_.saw("ordered: revert");
    world_.tell("a person wants the old token back");
}

void People::look() {
    if (fleet_.store.tampered()) return;
    const FleetDocument& document = fleet_.store.document();
    look_for_clashes();
    look_for_lost_hosts();
    const auto& record = document.state.rotation;
    if (document.state.paused && !world_.storm && !document.order.open()) {
        static_cast<void>(decide(Decision::resume));
    }
    if (!record || !record->hold) {
        held_since_.reset();
        return;
    }
    if (!held_since_) {
        held_since_ = world_.now();
        last_hold_ = fmt::format("{}: {}", name_of(record->hold->reason), record->hold->text);
        world_.saw(fmt::format("held: {}", name_of(record->hold->reason)));
        world_.tell("HELD " + last_hold_);
    }
    if (world_.now() - *held_since_ >= patience && !document.order.open()) {
        look_at_hold(*record->hold);
    }
}

void People::look_at_hold(const Hold& hold) {
    const auto name = split_fleet_unit(hold.unit);
    Host* host = name ? fleet_.named(name->host) : nullptr;
    if (host != nullptr) {
        if (UnitModel* unit = host->find(name->unit); unit != nullptr && !host->lost()) {
            unit->repair();
        }
    }
    if (!decide(Decision::retry)) return;
    world_.tell("a person retries");
    world_.saw("ordered: retry");
    ++retries_;
    held_since_.reset();
}

void People::look_for_lost_hosts() {
    for (const auto& host : fleet_.hosts) {
        const bool member = fleet_.store.document().members.contains(host->name());
        if (!host->lost() || !member) continue;
        const BootTime since = noticed_.try_emplace(host->label(), world_.now()).first->second;
        if (world_.now() - since >= minutes{4}) decommission(*host);
    }
}

void People::decommission(Host& host) {
    FleetDocument document = fleet_.store.document();
    if (!keyturn::decommission(document, host.name())) return;
    world_.saw("host decommissioned");
    world_.tell("a person decommissions " + host.label());
    fleet_.store.write_directly(std::move(document));
}

/// The clone is switched off, and the right host joins again.
void People::look_for_clashes() {
    Host* clashing = nullptr;
    for (const auto& host : fleet_.hosts) {
        if (!host->alive() || host->stopped()) continue;
        if (host->tunnel().trouble().standing.find("second") != std::string::npos) {
            clashing = host.get();
        }
    }
    const bool cloned = fleet_.clone != nullptr;
    if (clashing == nullptr && !cloned) return clash_since_.reset();
    if (!clash_since_) clash_since_ = world_.now();
    const Milliseconds allowed = clashing != nullptr ? Milliseconds{minutes{1}} : minutes{5};
    if (world_.now() - *clash_since_ < allowed) return;
    clash_since_.reset();
    if (cloned && fleet_.clone->units.front()->running() + fleet_.clone->alive() > 0) {
        world_.tell("a person switches the clone off");
        fleet_.clone->lose();
    }
    if (clashing != nullptr) rejoin(*clashing);
}

void People::rejoin(Host& host) {
    world_.saw("host joined again");
    world_.tell(fmt::format("a person lets {} join again", host.label()));
    host.die(Milliseconds{500});
    FleetDocument document = fleet_.store.document();
    host.disk.memory.install =
        fmt::format("{:016x}{:016x}", world_.dice.roll(), world_.dice.roll());
    host.disk.memory.mark = fmt::format("{:016x}", world_.dice.roll());
    host.disk.memory.mark_pending.clear();
    host.disk.memory.rev = document.rev;
    FleetMember entry = host.entry();
    const auto before = document.members.find(host.name());
    if (before != document.members.end()) entry.units = before->second.units;
    if (!keyturn::rejoin(document, host.name(), entry)) return;
    // The fleet cannot know whether these are the processes that it restarted. It says so, and a
    // person restarts them.
    for (const auto& unit : host.units) {
        unit->had_turn = false;
        world_.after(world_.dice.between(minutes{1}, minutes{10}), [&unit = *unit] {
            if (unit.serves()) unit.crash();
        });
    }
    fleet_.store.write_directly(std::move(document));
}

}  // namespace keyturn::fleet_simulation
