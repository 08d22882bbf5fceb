#include "rotation/unit_restart.hpp"

#include "model/unit_command.hpp"
#include "rotation/capacity.hpp"
#include "rotation/proof.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/verification.hpp"

#include <algorithm>

namespace keyturn {

namespace {

HoldReason reason_for_no_restart(Fault fault) {
    if (fault == Fault::conflict) return HoldReason::operator_took_over;
    return fault == Fault::silent ? HoldReason::host_silent : HoldReason::not_allowed;
}

/// How often keyturnd repeats a restart that was answered but did not happen.
constexpr int restarts_max = 3;

/// The token was checked before the batch. After longer than this, it is checked again.
constexpr Milliseconds token_age_max = std::chrono::seconds{30};

}  // namespace

Script<> UnitRestart::roll(std::size_t index) {
    bool first_look = true;
    for (int restarts = 0; restarts < restarts_max;) {
        if (record_.units[index].step == UnitStep::verified) co_return;
        if (record_.units[index].step == UnitStep::waiting) co_await allow(index);
        if (record_.units[index].step == UnitStep::listed) co_return;
        if (token_.age() >= token_age_max) {
            const bool followed = co_await token_.follow_if_changed();
            if (followed) co_await start_over();
        }
        const SampleUnits::Value samples = co_await sample();
        const BootTime sampled = now_;
        if (!needs_restart(record_.units[index], samples[index], first_look)) {
            co_await handover_.keep_file();  // systemd may have to start the unit once more.
            break;
        }
        if (stands_still()) {
            co_await stand_still();
            continue;
        }
        // Much may have happened since it was allowed: a full disk, or a crash of keyturnd.
        if (!capacity_.may_go_down(index, samples)) {
            // The current process has to go, even if it is a new one.
            record_.units[index].invocation_before = samples[index].state.invocation;
            not_begun(record_.units[index]);
            continue;
        }
        // Checked last, because nothing signals a change of the file, and it may need another
        // delivery.
        co_await handover_.keep_file();
        const bool waited = now_ - sampled > sample_age_max || token_.age() >= token_age_max;
        if (waited || stands_still()) continue;
        const std::optional<Fault> failed = co_await restart(index, sampled);
        if (!failed) ++restarts;
        if (failed != Fault::busy) first_look = false;
        if (failed == Fault::busy) co_await restart_useless(index);
    }
    waited_for_it();
    co_await proof_.prove(index);
}

/// True if a unit whose restart is recorded still has to be restarted. A dead unit is restarted
/// only if its state is old news (`first_look`: keyturnd crashed, or an operator said retry). It is
/// never restarted because the restart just made has failed, and never against an operator who
/// stopped it.
///
/// A unit that is up but lacks connections is also restarted if an operator said retry for it.
///
/// A unit that systemd was already starting when its restart was recorded may have read the token
/// before the delivery, and would never show another process than the recorded one. So it is
/// restarted too, and once more if no answer said whether that was done.
bool UnitRestart::needs_restart(const UnitProgress& unit, const SampleUnits::Sample& sample,
                                bool first_look) const {
    if (!record_.may_restart(unit)) return false;
    const bool recorded_process =
        !unit.invocation_before.empty() && sample.state.invocation == unit.invocation_before;
    const bool no_job = !sample.state.job_pending;
    if (recorded_process && sample.state.active_state == "activating") return first_look || no_job;
    const UnitVerdict verdict =
        judge_unit(unit, inputs_.policy.tunnel, sample, connections_wanted(unit));
    if (verdict.standing == UnitVerdict::Standing::unchanged) return no_job;
    if (!first_look) return false;
    const bool acknowledged = inputs_.acknowledged_unit == unit.name;
    // It is up, but lacks connections that it no longer tries to get.
    const bool lacking =
        verdict.standing == UnitVerdict::Standing::not_yet && sample.state.running();
    if (lacking) return acknowledged;
    if (verdict.standing != UnitVerdict::Standing::dead) return false;
    // A surge unit is normally stopped, and a restart starts it. A failed unit must not stay down.
    const bool ours_to_start = unit.surge || unit.name == context_.failed_unit;
    return sample.state.active_state == "failed" || acknowledged || ours_to_start;
}

/// Waits until this unit may go down: enough others serve, or it does not serve itself (I1). If
/// somebody else has restarted it meanwhile, its new process is verified as it is.
Script<> UnitRestart::allow(std::size_t index) {
    BootTime deadline = now_ + inputs_.policy.rollout.progress_deadline;
    for (;;) {
        co_await stand_still();
        const SampleUnits::Value samples = co_await sample();
        const SampleUnits::Sample own = samples[index];
        if (own.state.active_state == "inactive" && !own.state.job_pending) {
            co_await meet_stopped(index);
            co_return;
        }
        if (own.behind) {
            co_await await_token(index, deadline);
            continue;
        }
        if (own.state.active_state == "deactivating" && now_ < deadline) {
            // The end of the stop shows whether the unit is meant to stay stopped.
            context_.waits_for_more = true;
            const Error stopping{Fault::busy,
                                 fmt::format("{} is being stopped", record_.units[index].name)};
            co_await wait_out(stopping, "somebody else is working on the unit", 0);
            continue;
        }
        if (came_back_anew(record_.units[index], own) || capacity_.may_go_down(index, samples)) {
            waited_for_it();
            co_await record(index, own);
            co_return;
        }
        const auto unknown = capacity_.might_be_allowed(index, samples);
        if (unknown) deadline = now_ + inputs_.policy.rollout.progress_deadline;
        co_await make_room(index, samples, deadline);
    }
}

/// Waits a while for the host of the unit to have the delivered token. Holds at the deadline.
Script<> UnitRestart::await_token(std::size_t index, BootTime deadline) {
    const std::string name = record_.units[index].name;
    const std::string& tunnel = inputs_.policy.name;
    const Error absent{
        Fault::busy,
        fmt::format("{} does not have the token yet; `keyturnctl fleet status {}` says why. If "
                    "that host is gone for ever, run `{}`",
                    host_of(name), tunnel, decommission_command(tunnel, host_of(name)))};
    if (now_ >= deadline) co_await hold(HoldReason::host_silent, absent.text, name);
    context_.waits_for_more = true;
    co_await wait_out(absent, "cannot restart " + name, 0);
}

/// An operator has stopped the unit. It stays stopped if that was acknowledged; otherwise a person
/// has to decide.
Script<> UnitRestart::meet_stopped(std::size_t index) {
    UnitProgress& unit = record_.units[index];
    if (inputs_.acknowledged_unit != unit.name) {
        std::string text =
            fmt::format("somebody stopped {}; start it, or retry to leave it stopped", unit.name);
        co_await hold(HoldReason::operator_took_over, std::move(text), unit.name);
    }
    waited_for_it();
    say(EventKind::unit_left_stopped, Priority::warning,
        fmt::format("{} stays stopped, as the operator wants{}", unit.name,
                    record_.keeps_token() ? "" : "; its token file has the new token"),
        unit.name, "listed");
    unit.step = UnitStep::listed;
}

/// Takes one step towards allowing a restart: brings back a unit that does not serve, starts the
/// extra connector, or waits. Holds at the deadline.
Script<> UnitRestart::make_room(std::size_t index, SampleUnits::Value samples, BootTime deadline) {
    const std::string name = record_.units[index].name;
    if (const auto useless = capacity_.waiting_without_connection(samples)) {
        co_await restart_first(*useless, index);
        co_return;
    }
    if (const auto surge = capacity_.idle_surge(samples)) {
        co_await start_surge(*surge);
        co_return;
    }
    context_.waits_for_more = true;
    if (const auto unknown = capacity_.might_be_allowed(index, samples)) {
        const Error blind{Fault::busy, *unknown};
        co_await wait_out(blind, "cannot tell whether enough others serve", 0);
        co_return;
    }
    const Error too_few{
        Fault::busy,
        fmt::format(
            "{} of {} units serve, but min_available ({}) others must serve while {} restarts",
            count_serving(samples), samples.size(), inputs_.policy.rollout.min_available, name)};
    if (now_ < deadline) {
        co_await wait_out(too_few, "too few replicas serve", 0);
        co_return;
    }
    context_.waits_for_more = false;
    co_await hold_for_replicas(name, too_few.text, samples);
}

/// While a unit waits for its restart, another one may have lost its connections for ever.
Script<> UnitRestart::restart_useless(std::size_t index) {
    const auto useless = capacity_.waiting_without_connection(view_.samples);
    if (useless) co_await restart_first(*useless, index);
}

/// Restarting a unit that does not serve costs nothing, and it serves afterwards.
Script<> UnitRestart::restart_first(std::size_t useless, std::size_t index) {
    const std::string name = record_.units[useless].name;
    const SampleUnits::Sample own = view_.samples[useless];
    waited_for_it();
    say(EventKind::replica_promoted, Priority::warning,
        fmt::format("{} {} no connection: keyturnd restarts it before {}", name,
                    own.unknown() ? "reports" : "has", record_.units[index].name),
        name);
    co_await record(useless, own);
    co_await roll(useless);
}

/// Too few others serve, so the extra connector is started like any unit, and helps out.
Script<> UnitRestart::start_surge(std::size_t index) {
    waited_for_it();
    SampleUnits::Sample own = view_.samples[index];
    co_await record(index, std::move(own));
    co_await roll(index);
    co_await sleep_for(inputs_.policy.rollout.settle);
}

/// Names the missing unit: if it had been verified, a retry checks that one.
Never UnitRestart::hold_for_replicas(std::string unit, std::string why,
                                     const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& other = record_.units[i];
        if (other.step != UnitStep::verified || !samples[i].idle()) continue;
        return hold(
            HoldReason::verification_failed,
            fmt::format("{} was verified but no longer serves, so {} cannot be restarted: {}",
                        other.name, unit, why),
            other.name);
    }
    std::string text = fmt::format("{} cannot be restarted: {}", unit, why);
    return hold(HoldReason::too_few_replicas, std::move(text), std::move(unit));
}

/// Saved before the restart, so that after a crash the InvocationID shows whether it happened.
/// Somebody else may have restarted the unit meanwhile.
Script<> UnitRestart::record(std::size_t index, SampleUnits::Sample own) {
    UnitProgress& unit = record_.units[index];
    if (unit.batch == 0 && !unit.surge)
        unit.batch = std::max(record_.batch, 1);  // It was not part of the plan.
    // The operator's acknowledgement was about the previous process.
    if (inputs_.acknowledged_unit == unit.name) inputs_.acknowledged_unit.clear();
    if (came_back_anew(unit, own)) {
        unit.step =
            UnitStep::restarting;  // Treated as our own restart: it only has to be verified.
    } else {
        begin_restart(unit, own);
    }
    co_await save(Phase::roll);
}

/// Marks the current process as the one to replace.
void UnitRestart::begin_restart(UnitProgress& unit, const SampleUnits::Sample& own) {
    unit.invocation_before = own.state.invocation;
    if (own.readiness) unit.connector_before = own.readiness->connector_id;
    unit.step = UnitStep::restarting;
}

/// Takes back a recorded restart that did not happen.
void UnitRestart::not_begun(UnitProgress& unit) {
    unit.step = unit.surge ? UnitStep::listed : UnitStep::waiting;
}

/// Returns nothing if systemd accepted the restart, and `busy` if it certainly did not. `sampled`
/// is when the units were checked.
Script<std::optional<Fault>> UnitRestart::restart(std::size_t index, BootTime sampled) {
    const std::string name = record_.units[index].name;
    const bool running = view_.samples[index].state.started();
    RestartUnit question;
    question.unit = name;
    question.verb = running ? RestartVerb::try_restart : RestartVerb::restart;
    question.not_after = sampled + sample_age_max;
    question.deadline = std::max(inputs_.policy.rollout.healthy_deadline,
                                 record_.units[index].stop_and_start + job_slack);
    const bool surge = record_.units[index].surge;
    // Reported once, however often it has to be repeated.
    if (view_.state != RotationState::waiting) {
        say(surge ? EventKind::surge_started : EventKind::unit_restarting, Priority::notice,
            fmt::format("{} {}", surge ? "Starting" : "Restarting", name), name);
    }
    const auto result = co_await ask(std::move(question));
    if (!result && passes_by_itself(result.error().fault)) {
        // The next sample shows whether it happened, by a new InvocationID.
        context_.waits_for_more = true;
        co_await wait_out(result.error(), "cannot restart " + name, 0);
        co_return result.error().fault;
    }
    if (!result) {
        const Error error = result.error();
        not_begun(record_.units[index]);
        std::string text = fmt::format("{} was not restarted: {}", name, error.text);
        co_await hold(reason_for_no_restart(error.fault), std::move(text), name);
    }
    if (!result->not_reset.empty()) {
        say(EventKind::start_limit_kept, Priority::warning, result->not_reset, name);
    }
    if (*result == JobResult::canceled) {
        not_begun(record_.units[index]);
        std::string text = fmt::format(
            "somebody else's job for {} replaced keyturnd's restart; check the unit ({})", name,
            unit_command("systemctl status", name));
        co_await hold(HoldReason::operator_took_over, std::move(text), name);
    }
    co_return std::nullopt;
}

}  // namespace keyturn
