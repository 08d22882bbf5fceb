#include "rotation/revert.hpp"

#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/verification.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

bool can_revert(const RotationInputs& inputs, const RotationRecord& record) {
    const bool ended = record.proven || !record.refusal.empty();
    const bool retired =
        std::ranges::find(inputs.retired, record.old_fingerprint) != inputs.retired.end();
    const bool back_to_retired = retired && !record.keeps_token();
    return !ended && !back_to_retired && !record.reverts() && !record.compromised() &&
           !record.ends_on_foreign_token();
}

Script<Ending> Revert::tell(Ending cause) {
    if (!record_.reverts()) co_await begin(std::move(cause));
    if (record_.keeps_token()) {
        co_await move_back();
    } else {
        co_await take_back();
    }
    co_return Ending::go_on(ChapterName::window);
}

Script<> Revert::begin(Ending cause) {
    invariant(can_revert(inputs_, record_), "a rotation reverts at most once");
    if (record_.hold && record_.hold->reason == HoldReason::verification_failed) {
        context_.failed_unit = record_.hold->unit;
    }
    if (!cause.unit.empty()) context_.failed_unit = cause.unit;
    inputs_.acknowledged_unit.clear();
    if (record_.keeps_token()) {
        plan_to_move_back();
    } else {
        swap_tokens();
    }
    record_.hold.reset();
    view_.state = RotationState::running;
    view_.reason.clear();
    context_.waits_for_more = false;
    end_step();
    record_.connectors_before.clear();
    record_.reverting = cause.text;
    co_await save(Phase::revert);
    say(EventKind::rotation_reverting, Priority::alert,
        record_.keeps_token()
            ? fmt::format("keyturnd restarts again the units of {} that it had restarted, so "
                          "that they run as before: {}",
                          inputs_.policy.name, record_.reverting)
            : fmt::format("The rotation of {} reverts to the old token: {}", inputs_.policy.name,
                          record_.reverting),
        {}, "reverting");
}

/// The two kept tokens change places. Which units never left the old one is determined after it is
/// delivered again: until then, a unit that somebody restarts reads the new one.
void Revert::swap_tokens() {
    std::swap(record_.old_fingerprint, record_.new_fingerprint);
    record_.begin_roll_out_anew();
}

/// From now on, a process that ran before the move is known by `invocation_old`. It is forgotten
/// where a restart was begun, even if that did not happen: it may still come.
void Revert::plan_to_move_back() {
    for (UnitProgress& unit : record_.units) {
        const bool acknowledged = record_.hold && record_.hold->unit == unit.name;
        if (!record_.may_restart(unit)) {
            if (acknowledged) unit.step = UnitStep::listed;
            continue;
        }
        unit.invocation_before.clear();
        if (unit.surge) unit.step = UnitStep::listed;
        if (unit.step == UnitStep::listed || unit.step == UnitStep::waiting) continue;
        unit.step = UnitStep::waiting;
        unit.invocation_old.clear();
    }
    record_.batch = 0;
}

/// Leaves units alone whose process is from before the rotation and still has its connections.
void Revert::spare_untouched(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const SampleUnits::Sample& sample = samples[i];
        start_left_dead(unit, sample);
        if (unit.step != UnitStep::waiting || !sample.serves()) continue;
        // While its host is behind, it may have been restarted since it was seen.
        const bool untouched = !sample.behind && sample.state.invocation == unit.invocation_old &&
                               sample.connections() >= connections_tolerated(unit);
        if (untouched) {
            unit.step = UnitStep::verified;
            unit.connector_after = sample.readiness->connector_id;
            unit.invocation_after = sample.state.invocation;
            unit.verified_by = "not restarted";
            say(EventKind::unit_spared, Priority::info,
                fmt::format("{} was not restarted: it serves with the old token as before",
                            unit.name),
                unit.name);
        } else {
            record_.connectors_before.push_back(sample.readiness->connector_id);
        }
    }
}

/// A unit that our own restart left stopped, and not an operator.
void Revert::start_left_dead(UnitProgress& unit, const SampleUnits::Sample& sample) const {
    const bool left_dead = unit.name == context_.failed_unit && !sample.state.job_pending &&
                           sample.state.active_state == "inactive";
    if (left_dead && unit.step == UnitStep::waiting) unit.step = UnitStep::restarting;
}

/// Leaves units alone that still run as the process from before the move.
void Revert::spare_unmoved(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const SampleUnits::Sample& sample = samples[i];
        start_left_dead(unit, sample);
        if (unit.step != UnitStep::waiting || !sample.serves()) continue;
        if (sample.behind || sample.state.invocation != unit.invocation_old) {
            record_.connectors_before.push_back(sample.readiness->connector_id);
            continue;
        }
        unit.step = UnitStep::verified;
        unit.connector_after = sample.readiness->connector_id;
        unit.verified_by = "not restarted";
        say(EventKind::unit_spared, Priority::info,
            fmt::format("{} was not restarted: it runs as before", unit.name), unit.name);
    }
}

/// Sends the old secret to Cloudflare and puts the old token into the file. May be repeated.
Script<> Revert::take_back() {
    TakeBackSecret question{record_.new_fingerprint};
    co_await insist(std::move(question), "cannot bring back the old token");
    const bool answered = co_await handover_.send(true);
    co_await handover_.deliver();
    co_await handover_.confirm(answered);
    token_.note_confirmed();
    if (!record_.reverts()) co_return;  // Somebody else's token was taken over instead.
    const SampleUnits::Value samples = co_await sample();
    spare_untouched(samples);
}

/// No file changes, and nothing goes to Cloudflare.
Script<> Revert::move_back() {
    co_await handover_.confirm(false);
    token_.note_confirmed();
    if (!record_.reverts()) co_return;  // Somebody else's token was taken over instead.
    const SampleUnits::Value samples = co_await sample();
    spare_unmoved(samples);
}

}  // namespace keyturn
