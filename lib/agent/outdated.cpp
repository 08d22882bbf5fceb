// Units that run on another token than the delivered one: nobody changed anything just now, but a
// state that was lost or restored, or a roll-out that was told to restart nothing left them so.

#include "agent/asking.hpp"
#include "agent/tunnel_agent.hpp"
#include "agent/unit_starts.hpp"
#include "clock/clock.hpp"
#include "journal/event_log.hpp"
#include "policy/expected.hpp"
#include "schedule/stretch.hpp"
#include "state/state_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

/// Losing what is written here costs nothing but knowing it: unknown is called unknown.
void TunnelAgent::note_token(const Fingerprint& delivered, const SampleUnits::Value& samples,
                             bool unchanged) {
    const TunnelState before = state_;
    state_.delivered = delivered;
    std::vector<std::string> unknown = note_starts(state_, samples, unchanged);
    if (before.delivered.empty()) suspect_unknown(unknown);
    if (!(state_ == before)) static_cast<void>(world_.states.save(policy_.name, state_));
    tell_unknown(unknown);
    tell_outdated(outdated_starts(state_));
}

/// The state was lost while a rotation was open, but the tokens that it kept are still there: who
/// was started before anybody looked may run on the one from before.
void TunnelAgent::suspect_unknown(std::vector<std::string>& unknown) {
    const Fingerprint replaced = executor_.replaced_fingerprint(state_.delivered);
    if (replaced.empty()) return;
    for (UnitStart& start : state_.starts) {
        if (std::ranges::find(unknown, start.unit) != unknown.end()) start.fingerprint = replaced;
    }
    unknown.clear();
}

void TunnelAgent::tell_unknown(const std::vector<std::string>& units) {
    for (const std::string& unit : units) {
        Event event = event_of(EventKind::token_unknown, Priority::warning);
        event.target_unit = unit;
        event.message = fmt::format(
            "{}: token unknown, because it was started before keyturnd looked at it. To be sure, "
            "run `systemctl restart {}`, or `keyturnctl rotate {}`",
            unit, unit, policy_.name);
        log_.record(event);
    }
}

void TunnelAgent::tell_outdated(const std::vector<UnitStart>& outdated) {
    std::map<std::string, std::string> told;
    for (const UnitStart& start : outdated) {
        told.emplace(start.unit, start.invocation);
        const auto before = outdated_told_.find(start.unit);
        if (before != outdated_told_.end() && before->second == start.invocation) continue;
        Event event = event_of(EventKind::token_outdated, Priority::alert);
        event.target_unit = start.unit;
        event.fingerprint = start.fingerprint;
        const bool ours = policy_.drift.restart != DriftRestart::never;
        event.message = fmt::format(
            "{} {} started with the token {}, and the token of {} is {} now: it cannot get a lost "
            "connection back{}",
            start.unit, start.certain ? "was" : "may have been", start.fingerprint, policy_.name,
            state_.delivered, ours ? "" : fmt::format("; run `systemctl restart {}`", start.unit));
        log_.record(event);
    }
    outdated_told_ = std::move(told);
}

/// Since when the one of them that is without a connection the longest has had none.
std::optional<BootTime> TunnelAgent::idle_since(const std::vector<UnitStart>& starts) const {
    std::optional<BootTime> earliest;
    for (const UnitStart& start : starts) {
        const auto seen = seen_.find(start.unit);
        if (seen == seen_.end() || !seen->second.idle_since) continue;
        earliest = std::min(earliest.value_or(BootTime::max()), *seen->second.idle_since);
    }
    return earliest;
}

/// `drift: restart` decides, except for one that does not serve: nobody else restarts that.
bool TunnelAgent::may_bring_back(const std::vector<UnitStart>& outdated) const {
    if (policy_.drift.restart == DriftRestart::now) return true;
    const std::optional<BootTime> idle = idle_since(outdated);
    if (idle && *idle <= world_.clock.boot_now() - idle_counts_after) return true;
    const WallTime now = world_.clock.wall_now();
    const auto stretch = next_stretch(policy_.schedule, now, start_plan().expected);
    return !stretch || stretch->begins <= now;
}

void TunnelAgent::act_on_outdated(const PreflightFacts& facts) {
    const std::vector<UnitStart> outdated = outdated_starts(state_);
    if (outdated.empty() || wish_ || state_.rotation) return;
    if (policy_.drift.restart == DriftRestart::never || state_.paused) return;
    if (idle_since(outdated)) look_soon();
    if (!may_bring_back(outdated)) return;
    RotationRecord planned = plan_for_outdated(facts, outdated.front());
    if (planned.batch_count() == 0) return;  // Nothing of it runs any more.
    wish_ = Wish{};
    wish_->trigger = trigger_for_outdated;
    wish_->planned = std::move(planned);
}

/// A take-over that has delivered: what is known to run on the token has verified already.
RotationRecord TunnelAgent::plan_for_outdated(const PreflightFacts& facts,
                                              const UnitStart& outdated) const {
    RotationRecord record;
    record.trigger = trigger_for_outdated;
    record.phase = Phase::commit;
    record.started = world_.clock.wall_now();
    record.old_fingerprint = outdated.fingerprint;
    record.new_fingerprint = state_.delivered;
    record.takes_over = true;
    record.adopted = true;
    record.units = plan_units(policy_, facts);
    std::vector<std::string> staying;
    for (UnitProgress& unit : record.units) {
        const auto sample = std::ranges::find_if(
            facts.samples, [&](const auto& one) { return one.state.name == unit.name; });
        const bool stays = unit.step == UnitStep::waiting && sample->serves() &&
                           runs_on_delivered(state_, sample->state);
        if (!stays) continue;
        unit.step = UnitStep::verified;
        unit.verified_by = "its start";
        unit.invocation_after = sample->state.invocation;
        unit.connector_after = sample->readiness->connector_id;
        staying.push_back(unit.connector_after);
    }
    for (const Connector& connector : facts.connectors) {
        if (std::ranges::find(staying, connector.id) != staying.end()) continue;
        record.connectors_before.push_back(connector.id);
    }
    return record;
}

/// The record is first on the disk, then the token is kept: a crash between the two leads to a
/// take-over of the same token.
Task<> TunnelAgent::bring_onto_token(RotationRecord planned) {
    if (state_.rotation) co_return;
    state_.rotation = planned;
    std::string rotation_id;
    const bool kept = co_await keep_for(planned, rotation_id);
    if (superseded()) co_return;  // Its record is the one that counts now.
    if (!kept) {
        state_.rotation.reset();
        static_cast<void>(world_.states.save(policy_.name, state_));
        publish();
        co_return;
    }
    RotationInputs inputs;
    planned.rotation_id = std::move(rotation_id);
    inputs.record = std::move(planned);
    co_await rotate(std::move(inputs));
}

/// False where it cannot be done now; the next look tries again.
Task<bool> TunnelAgent::keep_for(const RotationRecord& planned, std::string& rotation_id) {
    if (!world_.states.save(policy_.name, state_)) co_return false;
    publish();
    AdoptToken adopt;
    adopt.fingerprint = planned.new_fingerprint;
    const auto adopted = co_await ask(std::move(adopt));
    if (adopted && adopted->fingerprint == planned.new_fingerprint) {
        rotation_id = adopted->rotation_id;
        co_return true;
    }
    if (superseded()) co_return false;
    ForgetSecrets forget;
    static_cast<void>(co_await ask(std::move(forget)));
    co_return false;
}

}  // namespace keyturn
