// When a unit may go down, and how it is restarted.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

/// I1: enough others surely serve, or it surely does not serve itself. Not knowing is no
/// permission.
bool Rotation::may_go_down(std::size_t index, const SampleUnits::Value& samples) const {
    const SampleUnits::Sample& own = samples[index];
    const int others = count_serving(samples) - (own.serves() ? 1 : 0) +
                       count_others_proven_by_systemd(index, samples);
    const bool enough = others >= inputs_.policy.rollout.min_available;
    const bool serves_no_more = own.idle() || record_.units[index].dropped;
    return serves_no_more || enough || gap_accepted() || record_.evict_all;
}

/// After a compromise nobody is waited for who does not tell its connector: that systemd has seen
/// it ready with the new token has to be enough.
int Rotation::count_others_proven_by_systemd(std::size_t index,
                                             const SampleUnits::Value& samples) const {
    int proven = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (i == index) continue;
        const UnitProgress& unit = record_.units[i];
        const bool silent = unit.step == UnitStep::verified && unit.connector_after.empty();
        const bool same_process = samples[i].state.invocation == unit.invocation_after;
        if (silent && same_process && samples[i].unknown()) ++proven;
    }
    return proven;
}

/// What stands in the way of knowing that a unit may go down: enough others serve, if those that
/// could not be asked do. Nothing where it would not be allowed then, either.
std::optional<std::string> Rotation::might_be_allowed(std::size_t index,
                                                      const SampleUnits::Value& samples) const {
    const int own = samples[index].idle() ? 0 : 1;
    const int others = count_serving(samples) + count_unknown(samples) - own;
    if (others < inputs_.policy.rollout.min_available) return std::nullopt;
    return first_unknown(samples);
}

/// Whether a unit whose restart is recorded still has to be restarted. One that is dead is
/// restarted only if that is old news (`first_look`: we crashed, or an operator said retry), never
/// because the restart just made came to nothing, and never against an operator who stopped it.
///
/// One that is up but lacks connections, and for which an operator said retry, is restarted, too.
///
/// One that systemd was starting anyway when its restart was recorded may have read the token
/// before the delivery, and would never show another process than the recorded one: it is
/// restarted, too; and once more where no answer told whether that was done.
bool Rotation::needs_restart(const UnitProgress& unit, const SampleUnits::Sample& sample,
                             bool first_look) const {
    const bool recorded_process =
        !unit.invocation_before.empty() && sample.state.invocation == unit.invocation_before;
    const bool no_job = !sample.state.job_pending;
    if (recorded_process && sample.state.active_state == "activating") return first_look || no_job;
    const UnitVerdict verdict =
        judge_unit(unit, inputs_.policy.tunnel, sample, connections_wanted(unit));
    if (verdict.standing == UnitVerdict::Standing::unchanged) return no_job;
    if (!first_look) return false;
    const bool acknowledged = inputs_.acknowledged_unit == unit.name;
    // Up, and without connections that it has given up on.
    const bool lacking =
        verdict.standing == UnitVerdict::Standing::not_yet && sample.state.running();
    if (lacking) return acknowledged;
    if (verdict.standing != UnitVerdict::Standing::dead) return false;
    // A surge is stopped as a rule, and started as it is restarted; who failed is not to stay so.
    const bool ours_to_start = unit.surge || unit.name == failed_unit_;
    return sample.state.active_state == "failed" || acknowledged || ours_to_start;
}

/// Waits until this unit may go down: enough others serve, or it does not serve itself (I1). Where
/// somebody else has restarted it meanwhile, its new process is proven as it is.
Script<> Rotation::allow_restart(std::size_t index) {
    BootTime deadline = now_ + inputs_.policy.rollout.progress_deadline;
    for (;;) {
        co_await stand_still();
        const SampleUnits::Value samples = co_await sample();
        const SampleUnits::Sample own = samples[index];
        if (own.state.active_state == "inactive" && !own.state.job_pending) {
            co_await meet_stopped(index);
            co_return;
        }
        if (own.state.active_state == "deactivating" && now_ < deadline) {
            // Whether it is to stay so, its end tells.
            waits_for_more_ = true;
            const Error stopping{
                Fault::busy, fmt::format("{} is being stopped", record_.units[index].name), {}};
            co_await wait_out(stopping, "somebody else is at work", 0);
            continue;
        }
        if (came_back_anew(record_.units[index], own) || may_go_down(index, samples)) {
            waited_for_it();
            co_await record_restart(index, own);
            co_return;
        }
        const auto unknown = might_be_allowed(index, samples);
        if (unknown) deadline = now_ + inputs_.policy.rollout.progress_deadline;
        co_await make_room(index, samples, deadline);
        if (all_over_again_) co_return;
    }
}

/// An operator has stopped it: it stays so if that was said, else a person has to decide.
Script<> Rotation::meet_stopped(std::size_t index) {
    UnitProgress& unit = record_.units[index];
    if (inputs_.acknowledged_unit != unit.name) {
        std::string text = fmt::format(
            "{} was stopped by somebody; start it, or retry to leave it stopped", unit.name);
        co_await hold("operator_took_over", std::move(text), unit.name);
    }
    waited_for_it();
    say(EventKind::unit_left_stopped, Priority::warning,
        fmt::format("{} stays stopped, as an operator wants it; its token file is new", unit.name),
        unit.name, "listed");
    unit.step = UnitStep::listed;
}

/// One step towards allowing a restart: brings back who does not serve, lets an extra one help out,
/// or waits; holds at the deadline.
Script<> Rotation::make_room(std::size_t index, SampleUnits::Value samples, BootTime deadline) {
    const std::string name = record_.units[index].name;
    if (const auto useless = waiting_without_connection(samples)) {
        co_await restart_first(*useless, index);
        co_return;
    }
    if (const auto surge = idle_surge(samples)) {
        co_await start_surge(*surge);
        co_return;
    }
    waits_for_more_ = true;
    if (const auto unknown = might_be_allowed(index, samples)) {
        const Error blind{Fault::busy, *unknown, {}};
        co_await wait_out(blind, "cannot tell whether enough others serve", 0);
        co_return;
    }
    const Error too_few{
        Fault::busy,
        fmt::format("{} of all units serve, and min_available ({}) others have to while {} "
                    "restarts",
                    count_serving(samples), inputs_.policy.rollout.min_available, name)};
    if (now_ < deadline) {
        co_await wait_out(too_few, "too few replicas serve", 0);
        co_return;
    }
    waits_for_more_ = false;
    co_await hold_for_replicas(name, too_few.text, samples);
}

/// It costs nothing to restart who does not serve, and it serves afterwards.
Script<> Rotation::restart_first(std::size_t useless, std::size_t index) {
    const std::string name = record_.units[useless].name;
    const SampleUnits::Sample own = view_.samples[useless];
    waited_for_it();
    say(EventKind::replica_promoted, Priority::warning,
        fmt::format("{} {} no connection: it is restarted before {}", name,
                    own.unknown() ? "tells of" : "has", record_.units[index].name),
        name);
    co_await record_restart(useless, own);
    co_await roll_unit(useless);
}

/// Names who is missing: a unit that had verified is what a retry looks at then.
Script<> Rotation::hold_for_replicas(std::string unit, std::string why,
                                     SampleUnits::Value samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& other = record_.units[i];
        if (other.step != UnitStep::verified || !samples[i].idle()) continue;
        std::string text =
            fmt::format("{} had verified and serves no more, so {} cannot be restarted: {}",
                        other.name, unit, why);
        co_await hold("verification_failed", std::move(text), other.name);
    }
    std::string text = fmt::format("{} cannot be restarted: {}", unit, why);
    co_await hold("too_few_replicas", std::move(text), std::move(unit));
}

/// Durable before the restart: after a crash the InvocationID tells whether it happened. Somebody
/// else may have made it meanwhile.
Script<> Rotation::record_restart(std::size_t index, SampleUnits::Sample own) {
    UnitProgress& unit = record_.units[index];
    if (unit.batch == 0 && !unit.surge)
        unit.batch = std::max(record_.batch, 1);  // It was not planned to go.
    // What an operator has said was about the process before.
    if (inputs_.acknowledged_unit == unit.name) inputs_.acknowledged_unit.clear();
    if (came_back_anew(unit, own)) {
        unit.step = UnitStep::restarting;  // As if that had been ours: it only has to be proven.
    } else {
        begin_restart(unit, own);
    }
    co_await save(Phase::roll);
}

/// The process of now is the one that is to be replaced.
void Rotation::begin_restart(UnitProgress& unit, const SampleUnits::Sample& own) {
    unit.invocation_before = own.state.invocation;
    if (own.readiness) unit.connector_before = own.readiness->connector_id;
    unit.step = UnitStep::restarting;
}

/// Its restart was recorded and is not made.
void Rotation::not_begun(UnitProgress& unit) {
    unit.step = unit.surge ? UnitStep::listed : UnitStep::waiting;
}

/// A unit that has lost all its connections, which it cannot get back with the old token. Also one
/// that was left stopped, and was started since with whatever token there was; and after a
/// compromise one that tells of none, where enough others serve: nobody is locked out before it is
/// known.
std::optional<std::size_t> Rotation::waiting_without_connection(
    const SampleUnits::Value& samples) const {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const SampleUnits::Sample& sample = samples[i];
        const UnitStep step = record_.units[i].step;
        const bool waits = step == UnitStep::waiting || step == UnitStep::listed;
        const bool silent = sample.unknown() && record_.compromised && may_go_down(i, samples);
        const bool useless = sample.state.running() && (sample.idle() || silent);
        if (waits && !record_.units[i].surge && useless) return i;
    }
    return std::nullopt;
}

/// Somebody may have emptied, removed or overwritten the token file since it was delivered. A unit
/// that is restarted on that is down until a person comes: ours is delivered again.
Script<> Rotation::keep_token_file() {
    const CheckFiles check_files;
    std::string purpose = "cannot look at the token file";
    const CheckFiles::Value file = co_await insist(check_files, std::move(purpose));
    if (file.fingerprint == record_.new_fingerprint) co_return;
    waited_for_it();
    say(EventKind::token_file_changed, Priority::error,
        fmt::format("The token file of {} was changed by somebody else: it {}, and is written "
                    "again",
                    inputs_.policy.name,
                    file.fingerprint.empty() ? "holds no token" : "holds another token"));
    co_await deliver();
}

/// Nothing when systemd has taken it; `busy` when it surely has not. `sampled`: when the units were
/// looked at.
Script<std::optional<Fault>> Rotation::restart(std::size_t index, BootTime sampled) {
    const std::string name = record_.units[index].name;
    const bool running = view_.samples[index].state.started();
    RestartUnit question;
    question.unit = name;
    question.verb = running ? RestartVerb::try_restart : RestartVerb::restart;
    question.not_after = sampled + sample_age_max;
    question.deadline = std::max(inputs_.policy.rollout.healthy_deadline,
                                 record_.units[index].stop_and_start + job_slack);
    const bool surge = record_.units[index].surge;
    // Told once, however often it has to be asked for.
    if (view_.state != RotationState::waiting) {
        say(surge ? EventKind::surge_started : EventKind::unit_restarting, Priority::notice,
            fmt::format("{} {}", surge ? "Starting" : "Restarting", name), name);
    }
    const auto result = co_await ask(std::move(question));
    if (!result && passes_by_itself(result.error().fault)) {
        // Whether it happened, the next sample tells: a new InvocationID.
        waits_for_more_ = true;
        co_await wait_out(result.error(), "cannot restart " + name, 0);
        co_return result.error().fault;
    }
    if (!result) {
        const Error error = result.error();
        not_begun(record_.units[index]);
        std::string reason = error.fault == Fault::conflict ? "operator_took_over" : "not_allowed";
        std::string text = fmt::format("{} was not restarted: {}", name, error.text);
        co_await hold(std::move(reason), std::move(text), name);
    }
    if (!result->not_reset.empty()) {
        say(EventKind::start_limit_kept, Priority::warning, result->not_reset, name);
    }
    if (*result == JobResult::canceled) {
        not_begun(record_.units[index]);
        std::string text = fmt::format(
            "somebody's own job for {} replaced our restart; look at it (systemctl status {})",
            name, name);
        co_await hold("operator_took_over", std::move(text), name);
    }
    co_return std::nullopt;
}

}  // namespace keyturn
