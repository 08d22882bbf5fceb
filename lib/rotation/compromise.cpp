// A side story: the token is in wrong hands. A new secret at once, whatever else is going on; then
// whoever else is attached is dropped; then our own units, without waiting between them.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/attached.hpp"
#include "rotation/preflight.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How often systemd is asked which units there are before the secret is replaced without it.
constexpr int hurried_tries = 3;

/// Who sets another secret more often than this after ours is stronger than we are.
constexpr int resends_max = 3;

}  // namespace

/// Ends where the roll-out begins.
Script<> Rotation::compromise() {
    const bool resumed = inputs_.record.has_value();
    planned_ = resumed && !record_.units.empty();
    if (record_.phase == Phase::preflight || record_.phase == Phase::prepare) {
        co_await plan_in_a_hurry();
        co_await prepare();
        co_await commit(false);
    } else if (record_.phase == Phase::commit) {
        co_await commit(true);
    } else {
        // Also at the end: who goes then is told by the token, and the record may be an older one.
        co_await deliver_again();
    }
    if (resumed) co_await take_in_new_units();
    if (record_.phase == Phase::finish && everyone_proven()) co_return;
    if (record_.phase == Phase::finish) record_.phase = Phase::roll;
    if (!record_.evicted) co_await evict();
    const WipeOldSecret wipe;
    std::string purpose = "cannot wipe the old secret";
    co_await insist(wipe, std::move(purpose));
    co_await insist_on_a_plan();
    co_await restart_dropped();
}

/// Where systemd does not answer, the secret is replaced all the same.
Script<> Rotation::plan_in_a_hurry() {
    co_await save(Phase::preflight);
    const auto facts = co_await facts_in_a_hurry(hurried_tries);
    if (!facts) co_return;
    if (facts->units.empty() && !facts->findings.empty()) {
        std::string text = fmt::format(
            "no unit that `units:` names is a connector of this tunnel; "
            "correct it: {}",
            fmt::join(facts->findings, "; "));
        co_await refuse(std::move(text));
    }
    for (const std::string& finding : facts->findings) {
        say(EventKind::unit_passed_over, Priority::alert,
            fmt::format("Left out of the rotation of {}: {}", inputs_.policy.name, finding));
    }
    plan(*facts);
    planned_ = true;
}

/// Nothing where systemd does not answer soon.
Script<std::optional<PreflightFacts>> Rotation::facts_in_a_hurry(int tries) {
    std::optional<PreflightFacts> facts;
    for (int attempt = 0; attempt < tries; ++attempt) {
        InspectUnits inspect_units;
        inspect_units.must_know = false;
        auto inspected = co_await ask(std::move(inspect_units));
        SampleUnits sample_units;
        PreflightFacts seen;
        if (inspected) seen.take_units(std::move(*inspected));
        for (const InspectUnits::Unit& unit : seen.units) sample_units.names.push_back(unit.name);
        auto samples = co_await ask(std::move(sample_units));
        if (inspected && samples) {
            seen.samples = std::move(*samples);
            seen.leave_out_other_tunnels(inputs_.policy.tunnel);
            note_proven(proven_, seen.samples);
            facts = std::move(seen);
            break;
        }
        const Milliseconds pause = std::chrono::seconds{1};
        if (attempt + 1 < tries) co_await sleep_for(pause);
    }
    const CheckFiles check_files;
    const auto files = co_await ask(check_files);
    if (facts && files) facts->files = *files;
    co_return facts;
}

/// One look, where systemd did not answer before.
Script<> Rotation::plan_units_late() {
    const auto facts = co_await facts_in_a_hurry(1);
    if (!facts) co_return;
    record_.units = plan_units(inputs_.policy, *facts);
    for (UnitProgress& unit : record_.units) unit.invocation_old.clear();
    view_.samples = facts->samples;
    planned_ = true;
    tell_left_stopped();
}

/// Nothing can be restarted before that.
Script<> Rotation::insist_on_a_plan() {
    for (std::size_t attempt = 0; !planned_; ++attempt) {
        co_await plan_units_late();
        const Error silent{Fault::unreachable, "systemd does not answer", {}};
        if (!planned_) co_await wait_out(silent, "cannot look at the units", attempt);
    }
    waited_enough();
}

/// `units:` may have been corrected since: whoever is named now belongs to it, and nobody else.
Script<> Rotation::take_in_new_units() {
    const auto facts = co_await facts_in_a_hurry(hurried_tries);
    if (!facts) co_return;
    int last_batch = std::max(1, record_.batch_count());
    std::vector<UnitProgress> units;
    for (UnitProgress& named : plan_units(inputs_.policy, *facts)) {
        const UnitProgress* known = record_.find(named.name);
        if (known == nullptr) {
            named.invocation_old.clear();
            if (named.batch > 0) named.batch = last_batch;
        }
        units.push_back(known == nullptr ? named : *known);
    }
    if (!units.empty()) record_.units = std::move(units);
    planned_ = planned_ || !record_.units.empty();
}

/// Somebody set yet another secret: ours is sent again, the same one.
Script<> Rotation::send_again() {
    if (++resends_ > resends_max) {
        resends_ = 0;
        std::string reason = "foreign_rotation";
        std::string text =
            "after a compromise Cloudflare goes on showing another secret than ours; find out who "
            "sets it, take their access to the account away, then retry";
        co_await hold(std::move(reason), std::move(text));
    }
    const CommitSecret commit_secret;
    std::string purpose = "cannot give the new secret to Cloudflare";
    static_cast<void>(co_await insist(commit_secret, std::move(purpose)));
    say(EventKind::secret_committed, Priority::warning,
        fmt::format("Cloudflare showed another secret of {} than ours: it was given ours again",
                    inputs_.policy.name));
}

/// Of those that were dropped none can be connected without a restart: all at once, in one batch.
/// Each is proven afterwards as in every roll-out.
Script<> Rotation::restart_dropped() {
    if (record_.evict_all) {
        for (UnitProgress& unit : record_.units) {
            unit.dropped = unit.step == UnitStep::waiting;
        }
    }
    if (std::ranges::none_of(record_.units, &UnitProgress::dropped)) co_return;
    std::vector<std::string> dropped;
    const SampleUnits::Value samples = co_await sample();
    const BootTime sampled = now_;
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        const bool waits = unit.dropped && unit.step == UnitStep::waiting;
        if (!waits || samples[i].state.active_state == "inactive") continue;
        dropped.push_back(unit.name);
        unit.batch = 1;
        begin_restart(unit, samples[i]);
    }
    if (dropped.empty()) co_return;  // Nothing runs, or all is under way since before a crash.
    record_.batch = 1;
    co_await save(Phase::roll);
    co_await keep_token_file();
    say(EventKind::batch_started, Priority::notice,
        fmt::format("Batch 1 of {} of {}: all at once", record_.batch_count(),
                    inputs_.policy.name));
    for (const std::string& unit : dropped) {
        RestartUnit question;
        question.unit = unit;
        question.not_after = sampled + sample_age_max;
        say(EventKind::unit_restarting, Priority::notice, fmt::format("Restarting {}", unit), unit);
        // Whether it happened, the look at each unit that follows tells.
        static_cast<void>(co_await ask(std::move(question)));
    }
}

}  // namespace keyturn
