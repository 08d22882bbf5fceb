// The third chapter: restart the units one by one, and prove each before the next.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"
#include "rotation/vigil.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How often a restarted unit is looked at: often while it starts, then less.
constexpr Milliseconds quick_look = Milliseconds{200};
constexpr Milliseconds slow_look = std::chrono::seconds{1};
constexpr Milliseconds quick_phase = std::chrono::seconds{15};

/// How often a restart that was answered and did not happen is asked for again.
constexpr int restarts_max = 3;

/// Its restart was recorded and is not made.
void not_begun(UnitProgress& unit) {
    unit.step = unit.surge ? UnitStep::listed : UnitStep::waiting;
    unit.invocation_before.clear();
}

}  // namespace

Script<> Rotation::roll() {
    const bool just_delivered = record_.phase == Phase::commit || record_.phase == Phase::revert;
    if (just_delivered) co_await save(Phase::roll);
    if (just_delivered && !record_.compromised) {
        begin_step(inputs_.policy.rollout.settle);
        co_await sleep_for(inputs_.policy.rollout.settle);
        end_step();
    }
    for (;;) {
        const bool finished = co_await roll_batches();
        if (finished) break;
    }
    co_await stop_surge();
}

/// False when the token changed underneath: everything is to be rolled again. After a crash it
/// begins with the batch that was open; units that have verified are passed over, and its soak is
/// begun anew.
Script<bool> Rotation::roll_batches() {
    all_over_again_ = false;
    const int first = first_open_batch();
    // Durable with what is done next: a crash right after that does not lose the way back.
    record_.batch = std::min(record_.batch, first);
    co_await roll_what_was_begun();
    if (all_over_again_) co_return false;
    if (record_.batch_count() == 0) co_await plan_started_units(1);
    if (record_.batch_count() == 0) co_return true;  // Nothing runs.
    for (int batch = first;; ++batch) {
        const bool still_ours = co_await token_is_still_ours();
        if (!still_ours) co_return false;
        record_.batch = batch;
        co_await save(Phase::roll);
        tell_batch();
        for (std::size_t i = 0; i < record_.units.size(); ++i) {
            if (record_.units[i].batch == batch) co_await roll_unit(i);
            if (all_over_again_) co_return false;
        }
        if (batch >= record_.batch_count()) co_await plan_started_units(batch + 1);
        if (batch >= record_.batch_count()) co_return true;
        const bool passed = co_await soak_out();
        if (!passed) co_return false;
    }
}

void Rotation::tell_batch() {
    say(EventKind::batch_started, Priority::notice,
        fmt::format("Batch {} of {} of {}", record_.batch, record_.batch_count(),
                    inputs_.policy.name));
}

/// A unit promoted in a soak may be of a later batch, and a surge is of none.
Script<> Rotation::roll_what_was_begun() {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        if (record_.units[i].step != UnitStep::restarting) continue;
        if (record_.batch == 0) {  // On the way back.
            record_.batch = first_open_batch();
            tell_batch();
        }
        co_await roll_unit(i);
        if (all_over_again_) co_return;
    }
}

/// The batch that was open; an earlier one where a unit had verified, failed, and is restarted by a
/// retry: then what came after it is to be watched anew, too.
int Rotation::first_open_batch() const {
    int first = std::max(record_.batch, 1);
    for (const UnitProgress& unit : record_.units) {
        const bool open = unit.step == UnitStep::waiting || unit.step == UnitStep::restarting;
        if (open && unit.batch > 0) first = std::min(first, unit.batch);
    }
    return first;
}

/// A unit that did not run at plan time, or was stopped, and was started since: whether it read the
/// token of now is not known, so it is restarted like the others, in a batch of its own.
Script<> Rotation::plan_started_units(int batch) {
    const SampleUnits::Value samples = co_await sample();
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool started = unit.step == UnitStep::listed && samples[i].state.started();
        if (!started || unit.surge) continue;
        unit.step = UnitStep::waiting;
        unit.batch = batch;
        unit.baseline = samples[i].connections();
    }
}

Script<> Rotation::roll_unit(std::size_t index) {
    bool first_look = true;
    for (int restarts = 0; restarts < restarts_max;) {
        if (record_.units[index].step == UnitStep::verified) co_return;
        if (record_.units[index].step == UnitStep::waiting) co_await allow_restart(index);
        if (all_over_again_ || record_.units[index].step == UnitStep::listed) co_return;
        const SampleUnits::Value samples = co_await sample();
        if (!needs_restart(record_.units[index], samples[index], first_look)) break;
        if (stands_still()) {
            co_await stand_still();
            continue;
        }
        // Much may have happened since it was allowed: a disk that was full, a crash of ours.
        if (!may_go_down(index, samples)) {
            not_begun(record_.units[index]);
            continue;
        }
        const std::optional<Fault> failed = co_await restart(index);
        if (!failed) ++restarts;
        if (failed != Fault::busy) first_look = false;
    }
    waited_for_replicas();
    co_await verify(index);
}

/// I1: enough others serve, or it surely does not serve itself. Not knowing is no permission.
bool Rotation::may_go_down(std::size_t index, const SampleUnits::Value& samples) const {
    const SampleUnits::Sample& own = samples[index];
    const bool may_serve = own.state.running() && (!own.readiness || own.serving());
    const int others = count_serving(samples) - (own.serving() ? 1 : 0);
    const bool enough = others >= inputs_.policy.rollout.min_available;
    return !may_serve || enough || gap_accepted() || record_.evict_all;
}

/// Whether a unit whose restart is recorded still has to be restarted. One that is dead is
/// restarted only if that is old news (`first_look`: we crashed, or an operator said retry), never
/// because the restart just made came to nothing, and never against an operator who stopped it.
///
/// One that is up but lacks connections, and for which an operator said retry, is restarted, too.
///
/// One that systemd was starting anyway when its restart was recorded may have read the token
/// before the delivery, and would never show another process than the recorded one: it is
/// restarted, too.
bool Rotation::needs_restart(const UnitProgress& unit, const SampleUnits::Sample& sample,
                             bool first_look) const {
    const bool recorded_process =
        !unit.invocation_before.empty() && sample.state.invocation == unit.invocation_before;
    if (recorded_process && sample.state.active_state == "activating") return first_look;
    const UnitVerdict verdict =
        judge_unit(unit, inputs_.policy.tunnel, sample, connections_wanted(unit));
    if (verdict.standing == UnitVerdict::Standing::unchanged) return !sample.state.job_pending;
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

/// Waits until this unit may go down: enough others serve, or it does not serve itself (I1).
Script<> Rotation::allow_restart(std::size_t index) {
    const BootTime deadline = now_ + inputs_.policy.rollout.progress_deadline;
    for (;;) {
        co_await stand_still();
        const SampleUnits::Value samples = co_await sample();
        UnitProgress& unit = record_.units[index];
        const SampleUnits::Sample own = samples[index];
        const bool stopped = own.state.active_state == "inactive" && !own.state.job_pending;
        if (stopped && inputs_.acknowledged_unit == unit.name) {
            waited_for_replicas();
            say(EventKind::unit_left_stopped, Priority::warning,
                fmt::format("{} stays stopped, as an operator wants it; its token file is new",
                            unit.name),
                unit.name, "listed");
            unit.step = UnitStep::listed;
            co_return;
        }
        if (stopped) {
            std::string text = fmt::format(
                "{} was stopped by somebody; start it, or retry to leave it stopped", unit.name);
            co_await hold("operator_took_over", std::move(text), unit.name);
        }
        if (own.state.active_state == "deactivating" && now_ < deadline) {
            // Whether it is to stay so, its end tells.
            const Error stopping{Fault::busy, fmt::format("{} is being stopped", unit.name), {}};
            short_of_replicas_ = true;
            co_await wait_out(stopping, "somebody else is at work", 0);
            continue;
        }
        if (may_go_down(index, samples)) {
            waited_for_replicas();
            co_await record_restart(index, own);
            co_return;
        }
        if (const auto useless = waiting_without_connection(samples)) {
            // It costs nothing to restart, and serves afterwards.
            waited_for_replicas();
            say(EventKind::replica_promoted, Priority::warning,
                fmt::format("{} {} no connection: it is restarted before {}",
                            record_.units[*useless].name,
                            samples[*useless].readiness ? "has" : "tells of", unit.name),
                record_.units[*useless].name);
            co_await record_restart(*useless, samples[*useless]);
            co_await roll_unit(*useless);
            if (all_over_again_) co_return;
            continue;
        }
        if (const auto surge = idle_surge(samples)) {
            co_await start_surge(*surge);
            if (all_over_again_) co_return;
            continue;
        }
        const Error too_few{
            Fault::busy,
            fmt::format("{} of all units serve, and min_available ({}) others have "
                        "to while {} restarts",
                        count_serving(samples), inputs_.policy.rollout.min_available, unit.name)};
        if (now_ >= deadline) {
            short_of_replicas_ = false;
            co_await hold_for_replicas(unit.name, too_few.text, samples);
        }
        short_of_replicas_ = true;
        co_await wait_out(too_few, "too few replicas serve", 0);
    }
}

/// Names who is missing: a unit that had verified is what a retry looks at then.
Script<> Rotation::hold_for_replicas(std::string unit, std::string why,
                                     SampleUnits::Value samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& other = record_.units[i];
        if (other.step != UnitStep::verified || samples[i].serving()) continue;
        std::string text =
            fmt::format("{} had verified and serves no more, so {} cannot be restarted: {}",
                        other.name, unit, why);
        co_await hold("verification_failed", std::move(text), other.name);
    }
    std::string text = fmt::format("{} cannot be restarted: {}", unit, why);
    co_await hold("too_few_replicas", std::move(text), std::move(unit));
}

/// Whether replicas came or there is something else to do: it does not wait for them any more.
void Rotation::waited_for_replicas() {
    short_of_replicas_ = false;
    waited_enough();
}

/// Durable before the restart: after a crash the InvocationID tells whether it happened.
Script<> Rotation::record_restart(std::size_t index, SampleUnits::Sample own) {
    UnitProgress& unit = record_.units[index];
    if (unit.batch == 0 && !unit.surge)
        unit.batch = std::max(record_.batch, 1);  // It was not planned to go.
    begin_restart(unit, own);
    co_await save(Phase::roll);
}

/// The process of now is the one that is to be replaced.
void Rotation::begin_restart(UnitProgress& unit, const SampleUnits::Sample& own) {
    unit.invocation_before = own.state.invocation;
    if (own.readiness) unit.connector_before = own.readiness->connector_id;
    unit.step = UnitStep::restarting;
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
        const bool useless = sample.state.running() && !sample.serving() &&
                             (sample.readiness || (record_.compromised && may_go_down(i, samples)));
        if (waits && !record_.units[i].surge && useless) return i;
    }
    return std::nullopt;
}

/// Nothing when systemd has taken it; `busy` when it surely has not.
Script<std::optional<Fault>> Rotation::restart(std::size_t index) {
    const std::string name = record_.units[index].name;
    const bool running = view_.samples[index].state.started();
    RestartUnit question;
    question.unit = name;
    question.verb = running ? RestartVerb::try_restart : RestartVerb::restart;
    question.not_after = now_ + sample_age_max;
    question.deadline = std::max(inputs_.policy.rollout.healthy_deadline,
                                 record_.units[index].stop_and_start + job_slack);
    const bool surge = record_.units[index].surge;
    say(surge ? EventKind::surge_started : EventKind::unit_restarting, Priority::notice,
        fmt::format("{} {}", surge ? "Starting" : "Restarting", name), name);
    const auto result = co_await ask(std::move(question));
    if (!result && passes_by_itself(result.error().fault)) {
        // Whether it happened, the next sample tells: a new InvocationID.
        short_of_replicas_ = true;
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
    if (*result == JobResult::canceled) {
        not_begun(record_.units[index]);
        std::string text = fmt::format(
            "somebody's own job for {} replaced our restart; look at it (systemctl status {})",
            name, name);
        co_await hold("operator_took_over", std::move(text), name);
    }
    co_return std::nullopt;
}

/// Returns when the unit is proven to serve with the new token: by systemd, by its own /ready for
/// min_healthy_time, and by the API. Holds when that does not happen in time, unless the token is
/// another one by now.
Script<> Rotation::verify(std::size_t index) {
    const std::string name = record_.units[index].name;
    Vigil vigil(record_.units[index], inputs_.policy, now_);
    std::size_t waits = waits_;
    Milliseconds pause = quick_look;
    BootTime looked = now_;
    std::optional<BootTime> listed_at;
    begin_step(vigil.allowed());
    for (;;) {
        const SampleUnits::Value samples = co_await sample();
        // The bus was down, or this process stood still: nothing was seen.
        const bool blind = waits_ != waits || now_ - looked > pause + blind_max;
        if (blind) vigil.begin_anew(now_);
        waits = waits_;
        looked = now_;
        const SampleUnits::Sample& own = samples[index];
        vigil.look(own, now_);
        // At the deadline the API is asked in any case: nothing is judged by an older answer.
        const bool ask_again = !listed_at || vigil.late() || now_ - *listed_at >= list_interval;
        if (vigil.steady() && ask_again) {
            const Listing listing = co_await listing_of(own.readiness->connector_id);
            listed_at = now_;
            if (listing == Listing::listed || (listing == Listing::unknown && vigil.late())) {
                UnitProgress& unit = record_.units[index];
                unit.connector_after = own.readiness->connector_id;
                unit.verified_by =
                    listing == Listing::listed ? "systemd, ready, api" : "systemd, ready";
                break;
            }
            if (listing == Listing::absent) vigil.note("Cloudflare does not list its connector");
        }
        if (vigil.hopeless()) {
            const bool followed = co_await follow_changed_token();
            if (followed) co_return;
            std::string text =
                fmt::format("{} did not come back with the {} token: {} after {}", name,
                            wanted_one(), vigil.seen(), to_text(vigil.elapsed()));
            co_await hold("verification_failed", std::move(text), name);
        }
        pause = vigil.elapsed() < quick_phase ? quick_look : slow_look;
        co_await sleep_for(pause);
    }
    end_step();
    record_.units[index].step = UnitStep::verified;
    say(EventKind::unit_verified,
        vigil.short_of_connections() ? Priority::warning : Priority::notice,
        fmt::format("{} serves with the {} token: {} (verified by {})", name, wanted_one(),
                    vigil.seen(), record_.units[index].verified_by),
        name, "verified");
    co_await save(Phase::roll);
}

}  // namespace keyturn
