#include "simulation/fleet/invariants.hpp"

#include "simulation/fleet/host.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::fleet_simulation {

namespace {

using std::chrono::seconds;

/// What a look that allowed a restart may be older than: the list of connectors, the grant, the
/// time to take it, and the age that a turn which was taken may have.
constexpr Milliseconds known_max = seconds{60};
/// A token that was replaced this short a time ago counts as an instant ago.
constexpr Milliseconds instant = seconds{75};
/// A unit that has come back this short a time ago may still look as if it did not serve: its host
/// has seen it, taken the turn, and restarts it.
constexpr Milliseconds just_back = seconds{10};
/// A turn is used at once, or not at all. A write may take this much longer than its host believes.
constexpr Milliseconds turn_age_max = seconds{15};
constexpr Milliseconds delivery_age_max = std::chrono::minutes{5};

bool in_a_compromise(const FleetDocument& document) {
    return document.state.rotation && document.state.rotation->compromised();
}

}  // namespace

void Invariants::on_write(const Host* by, const FleetDocument& before, const FleetDocument& after) {
    if (world_.told()) {
        const auto& record = after.state.rotation;
        std::string turns;
        for (const FleetTurn& turn : after.turns) {
            turns += fmt::format(" {}:{}:{}", turn.number, turn.unit, name_of(turn.state));
        }
        if (by != nullptr) {
            const auto entry = after.members.find(by->name());
            const auto earlier = before.members.find(by->name());
            const bool news = entry != after.members.end() && earlier != before.members.end() &&
                              !(entry->second == earlier->second);
            for (std::size_t i = 0; news && i < entry->second.units.size(); ++i) {
                const SampleUnits::Sample& unit = entry->second.units[i].seen;
                turns += fmt::format(" [{} {}/{} {}]", unit.state.name, unit.state.active_state,
                                     unit.state.sub_state, unit.connections().value_or(-1));
            }
        }
        world_.tell(fmt::format(
            "rev {} by {}: lead {}/{}, {}{}{}, deliver {}, ask {}, turns{}", after.rev,
            by == nullptr ? "a person" : by->label(), after.lead ? after.lead->host : "nobody",
            after.epoch, record ? std::string(name_of(record->phase)) : "idle",
            record && record->compromised() ? " of a compromise" : "",
            record && record->hold ? " HELD" : "", after.deliver, after.ask, turns));
    }
    check_turns(by, before, after);
    check_compromise(before, after);
    check_members(by, before, after);
    note_rotation(before, after);
    if (after.lead != before.lead && after.lead && after.epoch == before.epoch &&
        (!before.lead || after.lead->host != before.lead->host)) {
        world_.fail("a host leads without a new epoch");
    }
    const bool delivers = after.deliver != before.deliver;
    if (delivers) forget_restarts();
    if (delivers && !cloud_.has_or_had(after.deliver, delivery_age_max)) {
        world_.fail("a token is to be delivered that Cloudflare does not have");
    }
}

void Invariants::check_turns(const Host* by, const FleetDocument& before,
                             const FleetDocument& after) {
    int open = 0;
    for (const FleetTurn& turn : after.turns) {
        if (turn.open() && !turn.hurried) ++open;
        if (turn.state != TurnState::taken) continue;
        const FleetTurn* old = before.turn_of(turn.unit);
        const bool fresh =
            old == nullptr || old->number != turn.number || old->state != TurnState::taken;
        if (!fresh) continue;
        world_.saw("turn taken");
        taken_at_[turn.number] = world_.now();
        const auto name = split_fleet_unit(turn.unit);
        if (by == nullptr || name->host != by->name()) {
            world_.fail(fmt::format("another host takes the turn of {}", turn.unit));
        }
    }
    if (open > 1) world_.fail("two units have their turn at once");
}

void Invariants::check_members(const Host* by, const FleetDocument& before,
                               const FleetDocument& after) {
    if (by == nullptr) return;
    for (const auto& [host, member] : before.members) {
        if (host == by->name()) continue;
        const auto now = after.members.find(host);
        if (now == after.members.end() || !(now->second == member)) {
            world_.fail(fmt::format("{} changes what {} says about itself", by->label(), host));
        }
    }
}

/// Whoever says that a secret has leaked is obeyed, and nothing but its end ends that rotation.
void Invariants::check_compromise(const FleetDocument& before, const FleetDocument& after) {
    const auto& was = before.state.rotation;
    const auto& is = after.state.rotation;
    const bool open = (was && was->compromised()) || (is && is->compromised());
    if (was && is && was->compromised() && !is->compromised()) {
        world_.fail("a compromise becomes an ordinary rotation");
    }
    const FleetOrder& order = before.order;
    const bool done = order.open() && after.order.number == order.number && !after.order.open();
    if (done && order.urgent() && after.order.refusal.empty() && !open) {
        world_.fail("a compromise is not obeyed");
    }
    const bool reverts = !is || is->reverts() || !is->refusal.empty();
    if (done && order.kind == OrderKind::revert && after.order.refusal.empty() && !reverts) {
        world_.fail("a revert is only in the memory of the lead");
    }
}

void Invariants::note_rotation(const FleetDocument& before, const FleetDocument& after) {
    if (after.lead && after.lead != before.lead && before.state.rotation && before.lead &&
        after.lead->host != before.lead->host) {
        world_.saw("take-over of a lead that seemed to be gone");
    }
    if (!before.state.rotation || after.state.rotation) return;
    ++concluded;
    if (!after.last) return world_.fail("a rotation ends without a trace");
    world_.saw(fmt::format("rotation {}", name_of(after.last->outcome)));
    world_.tell(after.last->text);
}

void Invariants::on_secret_sent(Host& by, const Fingerprint& token) {
    ++sent;
    const std::optional<FleetDocument>& seen = by.tunnel().seen();
    if (!seen || !seen->state.rotation) return world_.fail("a secret is sent without a rotation");
    const RotationRecord& record = *seen->state.rotation;
    const bool known = token == record.new_fingerprint || token == record.old_fingerprint;
    if (!known) world_.fail("a secret is sent that the record does not have");
    world_.tell(fmt::format("{} sends secret {}", by.label(), token));
    const FleetDocument& now = store_.document();
    if (!now.lead || now.lead->host != by.name())
        world_.saw("secret sent by a lead that was deposed");
    if (record.reverts()) return;
    std::set<Fingerprint>& secrets = secrets_[record.started];
    if (secrets.empty() && !record.compromised()) check_staged(*seen);
    secrets.insert(token);
    if (secrets.size() > 1) world_.fail("two secrets are sent for one rotation");
}

/// Before Cloudflare knows the new token, every host has it on its disk. One whose keyturnd has
/// just started may not have said so yet.
void Invariants::check_staged(const FleetDocument& seen) {
    if (!seen.sealed) return world_.fail("a secret is sent that the object does not have");
    const std::string& rotation = seen.sealed->rotation_id;
    for (const auto& [name, member] : seen.members) {
        const bool has_it = std::ranges::any_of(cloud_.hosts, [&](const Host* host) {
            return host->name() == name && host->disk.staged.contains(rotation);
        });
        if (has_it || member.staged == rotation) continue;
        world_.fail(fmt::format("a secret is sent that {} does not have", name));
    }
}

/// A host that comes back delivers what the object has, and while no lead works that may have been
/// replaced. It does no harm to a token that is dead as well.
void Invariants::on_delivery(const Host& on, const Fingerprint& before, const Fingerprint& token) {
    world_.tell(fmt::format("{}: the file holds {}", on.label(), token));
    const bool harmless = before != cloud_.held() && cloud_.has_or_had(token, Milliseconds::max());
    if (harmless || cloud_.has_or_had(token, delivery_age_max)) return;
    world_.fail(fmt::format("{} delivers a token that Cloudflare does not have", on.label()));
}

void Invariants::on_restart(const Host& on, UnitModel& unit) {
    world_.tell(fmt::format("{}: {} restarts{}", on.label(), unit.name(),
                            unit.serves() ? "" : ", which does not serve"));
    world_.saw("restart");
    check_restarts_once(unit);
    if (unit.serves()) {
        check_turn(unit);
        const bool counts = unit.serves_for(just_back) && !in_a_compromise(store_.document());
        if (counts) check_capacity(unit);
        unit.down_by_us = true;
    } else {
        world_.saw("restart of a unit without connections");
    }
    if (unit.serves() && !cloud_.has_or_had(on.disk.holds, instant) && lead_can_know()) {
        world_.fail(
            fmt::format("{} restarts on a token that Cloudflare does not have", unit.full_name()));
    }
}

/// In the middle of a batch, a lead whom Cloudflare does not answer goes on.
bool Invariants::lead_can_know() const {
    const std::optional<FleetLead>& lead = store_.document().lead;
    return std::ranges::none_of(cloud_.hosts, [&](const Host* host) {
        const bool leads = lead && host->name() == lead->host;
        return leads && world_.now() - host->asked_in_vain <= instant;
    });
}

/// A rotation has no use for a second restart of a unit that serves as it should.
void Invariants::check_restarts_once(UnitModel& unit) {
    const FleetDocument& document = store_.document();
    const FleetTurn* turn = document.turn_of(unit.full_name());
    const bool its_turn = turn != nullptr && turn->state == TurnState::taken;
    const auto& record = document.state.rotation;
    const WallTime rotation = record ? record->started : WallTime();
    const bool again = unit.had_turn && unit.rotation == rotation && unit.fully_serves() &&
                       unit.token() == document.deliver && !in_a_compromise(document);
    if (again) world_.fail(unit.full_name() + " restarts a second time on the same token");
    unit.had_turn = its_turn;
    unit.rotation = rotation;
}

/// A serving unit goes down only in a turn of its own that its host has taken, once.
void Invariants::check_turn(const UnitModel& unit) {
    const FleetTurn* turn = store_.document().turn_of(unit.full_name());
    if (turn == nullptr || turn->state != TurnState::taken) {
        return world_.fail(unit.full_name() + " restarts without a turn that was taken");
    }
    if (!used_turns_.insert(turn->number).second) {
        world_.fail(unit.full_name() + " restarts twice in one turn");
    }
    if (!turn->hurried && world_.now() - taken_at_[turn->number] > turn_age_max) {
        world_.fail(unit.full_name() + " restarts in a turn that was taken long ago");
    }
}

void Invariants::check_capacity(const UnitModel& unit) {
    int others = 0;
    int needed = 1;
    for (const auto& [name, member] : store_.document().members) {
        needed = std::max(needed, member.min_available);
    }
    for (const Host* host : cloud_.hosts) {
        for (const auto& other : host->units) {
            if (other.get() == &unit) continue;
            if (other->down_by_us && !is_replaced(*other)) {
                world_.fail(fmt::format("{} restarts while {} is down for a restart",
                                        unit.full_name(), other->full_name()));
            }
            if (world_.now() - other->served() <= known_max) ++others;
        }
    }
    if (others < needed) {
        world_.fail(fmt::format("{} restarts while {} others serve, and {} have to",
                                unit.full_name(), others, needed));
    }
}

/// While keyturnd of a host is dead, a clone that serves in its place looks like that host.
bool Invariants::is_replaced(const UnitModel& unit) const {
    return std::ranges::any_of(cloud_.hosts, [&](const Host* host) {
        return std::ranges::any_of(host->units, [&](const auto& other) {
            const bool same = other.get() != &unit && other->full_name() == unit.full_name();
            return same && world_.now() - other->served() <= known_max;
        });
    });
}

void Invariants::on_units_changed() {}

void Invariants::on_event(const Host&, const Event& event) {
    const bool notices = event.kind == EventKind::rotation_held ||
                         event.kind == EventKind::foreign_rotation ||
                         event.kind == EventKind::rotation_done;
    if (notices) noticed_ = world_.now();
    if (event.kind == EventKind::rotation_held) leave_to_people(event.target_unit);
}

/// A new roll-out begins: what is down now is counted as not serving, like any other unit, and each
/// may restart once more, even if an earlier token has come back.
void Invariants::forget_restarts() {
    for (const Host* host : cloud_.hosts) {
        for (const auto& unit : host->units) unit->down_by_us = unit->had_turn = false;
    }
}

/// A person knows that this unit is down, and decides what happens next: min_available counts then.
void Invariants::leave_to_people(const std::string& unit) {
    for (const Host* host : cloud_.hosts) {
        for (const auto& one : host->units) {
            if (one->full_name() == unit) one->down_by_us = false;
        }
    }
}

bool Invariants::retired_token_unnoticed() const {
    const auto& retired = store_.document().state.retired;
    const bool back = std::ranges::find(retired, cloud_.held()) != retired.end();
    return back && noticed_ < cloud_.changed();
}

}  // namespace keyturn::fleet_simulation
