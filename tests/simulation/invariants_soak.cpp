// The invariants about what cannot be seen, and about what must be seen in time.

#include "rotation/health_watch.hpp"
#include "simulation/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::simulation {

namespace {

using std::chrono::seconds;
using Look = UnitModel::Look;

/// Somebody else's change of the secret must be noticed in a soak within this time.
constexpr Milliseconds unnoticed_max = seconds{70};

/// A unit that has lost every connection must restart within this time, if others serve again.
constexpr Milliseconds lost_max = seconds{10};

/// One keyturnd must restart a unit fewer times than this for one decision of a person.
constexpr int restarts_max = 12;

/// The age below which a process may be too new to have been seen.
constexpr Milliseconds young = seconds{2};

bool has(const Event& event, std::string_view words) {
    return event.message.find(words) != std::string::npos;
}

}  // namespace

const UnitModel* Invariants::find(const std::string& name) const {
    const auto found = std::ranges::find(units_, name, &UnitModel::name);
    return found == units_.end() ? nullptr : &*found;
}

int Invariants::count_not_idle(const std::string& except) const {
    return static_cast<int>(std::ranges::count_if(units_, [&](const UnitModel& unit) {
        const bool planned = disk_.record && disk_.record->find(unit.name()) != nullptr;
        return planned && unit.name() != except && unit.look() != Look::idle;
    }));
}

/// A check without a result must have no consequence.
void Invariants::check_sight(const Event& event) const {
    const UnitModel* unit = event.target_unit.empty() ? nullptr : find(event.target_unit);
    const bool unseen = unit != nullptr && unit->look() == Look::unknown;
    const bool decays = event.kind == EventKind::replica_decaying;
    // A unit that was started again must be verified, whatever it reports.
    const bool promoted = event.kind == EventKind::replica_promoted &&
                          event.message.ends_with("restarts it next") &&
                          !has(event, "was started by somebody else");
    if (unseen && (decays || promoted)) {
        broken("I5", fmt::format("{}, but it cannot be asked", event.message));
    }
    const bool nobody = std::ranges::none_of(
        units_, [](const UnitModel& other) { return other.look() == Look::serving; });
    if (promoted && nobody && unit != nullptr && unit->running()) {
        broken("I1", fmt::format("{}, but nobody serves", event.message));
    }
    if (event.kind == EventKind::hold_urgent &&
        count_not_idle("") >= policy_.rollout.min_available) {
        broken("I5", fmt::format("{}, but they may be serving", event.message));
    }
    if (event.kind == EventKind::rotation_held) check_sight_of_hold(event);
    if (event.kind != EventKind::rotation_reverting) return;
    for (const UnitModel& failed : units_) {
        const bool blamed = has(event, failed.name() + " was verified and then failed") ||
                            has(event, failed.name() + " did not come back");
        if (blamed && failed.look() == Look::unknown) {
            broken("I5", fmt::format("{}, but it cannot be asked", event.message));
        }
    }
}

void Invariants::check_sight_of_hold(const Event& event) const {
    // Reported again by a keyturnd that has not checked yet.
    if (has(event, "is still held") || !disk_.record || !disk_.record->hold) return;
    const HoldReason reason = disk_.record->hold->reason;
    const UnitModel* unit = event.target_unit.empty() ? nullptr : find(event.target_unit);
    const bool unseen = unit != nullptr && unit->look() == Look::unknown;
    if (unseen && reason == HoldReason::verification_failed &&
        !has(event, "keeps being restarted")) {
        broken("I5", fmt::format("{}, but it cannot be asked", event.message));
    }
    if (reason == HoldReason::too_few_replicas &&
        count_not_idle(event.target_unit) >= policy_.rollout.min_available) {
        broken("I5", fmt::format("{}, but they may be serving", event.message));
    }
}

void Invariants::units_inspected(const InspectUnits::Value& units) {
    allowed_ = std::ranges::none_of(
        units, [](const InspectUnits::Unit& unit) { return unit.not_allowed.has_value(); });
    if (!allowed_) call_failed();
}

/// Notes which process of a waiting unit was there when the file contained the new token.
void Invariants::record_written() {
    check_dropped();
    for (const UnitProgress& unit : disk_.record->units) {
        const bool noted = !unit.invocation_before.empty();
        if (unit.step == UnitStep::waiting && noted) {
            noted_[unit.name] = unit.invocation_before;
        } else if (unit.step == UnitStep::verified || !noted) {
            noted_.erase(unit.name);
        }
    }
}

/// A unit that died and that systemd brought back with the new token is verified as it is.
void Invariants::check_came_back(const UnitModel& unit, BootTime now) const {
    const auto noted = noted_.find(unit.name());
    const bool all_at_once = disk_.record->compromised();
    if (noted == noted_.end() || retried_ || all_at_once) return;
    if (unit.started_at() > now - young) return;
    const bool anew = unit.state().invocation != noted->second;
    if (anew && unit.token() == cloud_.current()) {
        broken("I3", unit.name() + " already serves on the new token and was restarted");
    }
}

void Invariants::check_loop(const UnitModel& unit) {
    if (++restarts_[unit.name()] > restarts_max) {
        broken("I7", unit.name() + " is restarted again and again");
    }
}

/// Counts the intended time in a soak, not the time in which keyturnd is stopped.
void Invariants::waits(const Rotation& rotation, Milliseconds duration, BootTime now) {
    const RotationRecord& record = rotation.record();
    check_locked_out(rotation, duration, now);
    const RotationState state = rotation.view().state;
    const bool proves = std::ranges::any_of(
        record.units, [](const UnitProgress& unit) { return unit.step == UnitStep::restarting; });
    const bool soaks = record.phase == Phase::soak && rotation.view().step && !proves &&
                       state != RotationState::held && state != RotationState::paused;
    const bool blind = state == RotationState::waiting &&
                       rotation.view().reason.find("cannot ask /ready") == std::string::npos;
    if (soaks && blind) {
        lost_.clear();
    } else if (soaks) {
        check_stranger(duration, now);
        check_lost(record, duration);
    } else {
        unnoticed_ = Milliseconds{0};
        lost_.clear();
    }
}

void Invariants::check_stranger(Milliseconds duration, BootTime now) {
    const bool strange = cloud_.shown(now) != told_;
    unnoticed_ = strange ? unnoticed_ + duration : Milliseconds{0};
    if (unnoticed_ > unnoticed_max) {
        broken("I5",
               fmt::format(
                   "the API has shown another token for {} of a soak, and keyturnd has not noticed",
                   to_text(unnoticed_)));
    }
}

void Invariants::check_lost(const RotationRecord& record, Milliseconds duration) {
    const bool serves_anew = std::ranges::any_of(record.units, [&](const UnitProgress& unit) {
        const UnitModel* model = find(unit.name);
        return unit.step == UnitStep::verified && model->serving() &&
               model->look() == Look::serving;
    });
    // No unit restarts while the API shows another token than the delivered one. And a soak that is
    // over at once has no two checks far enough apart, but the unit's own batch comes soon.
    const Milliseconds soak = std::min(policy_.rollout.soak, policy_.rollout.soak_min);
    const bool too_short = soak < HealthWatch::lost_max + soak / 10;
    if (told_ != disk_.token_file || too_short) {
        lost_.clear();
        return;
    }
    const bool token_stays = record.request.moves_units() && !record.foreign;
    for (const UnitProgress& unit : record.units) {
        // With a token that stays, a unit gets its connections back by itself.
        if (unit.step != UnitStep::waiting || token_stays) continue;
        const UnitModel* model = find(unit.name);
        const bool seen = model->running() && !model->serving() && model->look() == Look::idle;
        if (!seen || !serves_anew) {
            lost_.erase(unit.name);
        } else if ((lost_[unit.name] += duration) > lost_max) {
            broken("I1",
                   fmt::format("{} has no connection for {} of a soak but is not restarted next",
                               unit.name, to_text(lost_[unit.name])));
        }
    }
}

}  // namespace keyturn::simulation
