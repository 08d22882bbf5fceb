// The fourth chapter: between two batches nothing happens, and that is watched.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/health_watch.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

constexpr Milliseconds look_interval_max = std::chrono::seconds{2};
constexpr Milliseconds look_interval_min = Milliseconds{100};
constexpr int looks_per_soak = 20;

/// How often a unit's process may be replaced during a rotation before that is a failure.
constexpr int replacements_max = 3;

}  // namespace

/// Soaks until it has passed undisturbed; a unit that decays meanwhile is restarted in between.
/// False when the token changed underneath. The way back is known to be good and a compromise has
/// no time: neither is watched.
Script<bool> Rotation::soak_out() {
    if (record_.reverts() || record_.compromised) co_return true;
    for (;;) {
        const std::optional<std::size_t> promoted = co_await soak();
        if (!promoted) co_return !all_over_again_;
        const bool still_ours = co_await token_is_still_ours();
        if (!still_ours) co_return false;
        co_await roll_unit(*promoted);
        if (all_over_again_) co_return false;
    }
}

Script<std::optional<std::size_t>> Rotation::soak() {
    const Milliseconds duration = inputs_.policy.rollout.soak;
    const Milliseconds at_least = std::min(inputs_.policy.rollout.soak_min, duration);
    co_await save(Phase::soak);
    say(EventKind::soak_started, Priority::notice,
        fmt::format("Batch {} of {} of {} serves; soaking for {}", record_.batch,
                    record_.batch_count(), inputs_.policy.name,
                    at_least == duration
                        ? to_text(duration)
                        : fmt::format("{} to {}", to_text(at_least), to_text(duration))));
    const std::optional<std::size_t> promoted = co_await watch(duration, at_least);
    if (!promoted && !all_over_again_) {
        say(EventKind::soak_ended, Priority::info,
            fmt::format("{} was healthy for {}", inputs_.policy.name, to_text(healthy_for_)));
    }
    co_return promoted;
}

/// Whether every restarted unit has all the connections that it had before, and is listed. An API
/// that does not answer says nothing.
Script<bool> Rotation::all_is_back(SampleUnits::Value samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& unit = record_.units[i];
        const bool restarted = unit.step == UnitStep::verified;
        if (restarted && samples[i].connections() < connections_wanted(unit)) co_return false;
    }
    const ListConnectors list;
    const auto connectors = co_await ask(list);
    if (!connectors) co_return false;
    co_return units_absent_from(*connectors).empty();
}

/// Looks at every unit until `duration` has passed without a disturbance, or `at_least`, if all is
/// back by then. Holds when a restarted unit fails. Returns early with a unit that has to be
/// restarted next, and when the token changed underneath.
Script<std::optional<std::size_t>> Rotation::watch(Milliseconds duration, Milliseconds at_least) {
    const Milliseconds interval =
        std::clamp(duration / looks_per_soak, look_interval_min, look_interval_max);
    const Phase phase = record_.phase;
    HealthWatch health;
    bool disturbed_before = false;
    begin_step(duration);
    while (now_ < view_.step->ends) {
        const Milliseconds pause = std::min<Milliseconds>(interval, view_.step->ends - now_);
        const std::size_t waits = waits_;
        const BootTime looked = now_;
        co_await sleep_for(pause);
        const SampleUnits::Value samples = co_await sample();
        const HealthFinding finding = health.look(record_, samples, now_);
        tell_decays(finding);
        if (finding.failure) {
            const bool followed = co_await follow_changed_token();
            if (followed) co_return std::nullopt;
            std::string text = fmt::format("{} had verified and then failed: {}",
                                           finding.failure->unit, finding.failure->text);
            co_await hold("verification_failed", std::move(text), finding.failure->unit);
        }
        if (finding.replaced) {
            co_await verify_replacement(*finding.replaced);
            if (all_over_again_) co_return std::nullopt;
            co_await save(phase);
            begin_step(duration);
            health = HealthWatch();
            continue;
        }
        if (finding.promoted) {
            say(EventKind::replica_promoted, Priority::warning,
                fmt::format("{} has lost half of its connections: it is restarted next",
                            *finding.promoted),
                *finding.promoted);
            end_step();
            co_return index_of(*finding.promoted);
        }
        const bool blind = waits_ != waits || now_ - looked > pause + blind_max;
        const bool disturbed = finding.disturbed || blind;
        if (disturbed) begin_step(duration);
        if (disturbed && !disturbed_before) {
            say(EventKind::soak_restarted, Priority::warning,
                fmt::format("Not every restarted unit of {} was healthy: the soak begins anew",
                            inputs_.policy.name));
        }
        disturbed_before = disturbed;
        const bool long_enough = now_ - view_.step->started >= at_least;
        if (disturbed || !long_enough || at_least == duration) continue;
        const bool back = co_await all_is_back(samples);
        if (back) break;
    }
    healthy_for_ = now_ - view_.step->started;
    end_step();
    co_return std::nullopt;
}

/// A unit that had verified runs as another process, which has read the same token file. It is
/// proven again; one that keeps being replaced is not healthy.
Script<> Rotation::verify_replacement(std::string unit) {
    say(EventKind::soak_restarted, Priority::warning,
        fmt::format("{} was restarted by somebody else: it is verified again, and the soak of {} "
                    "begins anew",
                    unit, inputs_.policy.name),
        unit);
    if (++replacements_[unit] > replacements_max) {
        std::string text = fmt::format("{} keeps being restarted after it had verified", unit);
        co_await hold("verification_failed", std::move(text), unit);
    }
    const std::size_t index = index_of(unit);
    record_.units[index].step = UnitStep::restarting;
    record_.units[index].connector_before = record_.units[index].connector_after;
    co_await verify(index);
}

void Rotation::tell_decays(const HealthFinding& finding) {
    for (const HealthFinding::Decay& decay : finding.decays) {
        say(EventKind::replica_decaying, Priority::warning,
            fmt::format(
                "{} is down to {} of {} connections and cannot get them back before its own "
                "restart",
                decay.unit, decay.connections, decay.baseline),
            decay.unit);
    }
}

std::size_t Rotation::index_of(const std::string& unit) const {
    const auto found = std::ranges::find(record_.units, unit, &UnitProgress::name);
    invariant(found != record_.units.end(), "only planned units are spoken of");
    return static_cast<std::size_t>(found - record_.units.begin());
}

}  // namespace keyturn
