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

/// A stranger's change of the secret is noticed no later than this: until then, nobody reconnects.
constexpr Milliseconds token_look_interval = std::chrono::minutes{1};

/// Where connections get lost, that may be why; but they may also get lost one after the other.
constexpr Milliseconds token_look_pause = std::chrono::seconds{10};

/// When a soak asks Cloudflare whether the token is still right: now and then, and soon after a
/// connection was lost that did not come back.
class TokenSuspicion {
  public:
    explicit TokenSuspicion(BootTime now) : seen_(now) {}

    bool wants_a_look(const HealthFinding& finding, BootTime now) {
        if (!finding.decays.empty()) suspicious_ = true;
        const Milliseconds pause = suspicious_ ? token_look_pause : token_look_interval;
        if (!finding.failure && now - seen_ < pause) return false;
        seen_ = now;
        suspicious_ = false;
        return true;
    }

  private:
    BootTime seen_;
    bool suspicious_ = false;
};

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
        const int connections = samples[i].connections().value_or(0);
        if (restarted && connections < connections_wanted(unit)) co_return false;
    }
    const ListConnectors list;
    const auto connectors = co_await ask(list);
    if (!connectors) co_return false;
    co_return units_absent_from(*connectors).empty();
}

/// Looks at every unit until `duration` has passed without a disturbance, or `at_least`, if all is
/// back by then. Holds when a restarted unit fails. Returns early with a unit that has to go next,
/// and when the token changed underneath.
Script<std::optional<std::size_t>> Rotation::watch(Milliseconds duration, Milliseconds at_least) {
    const Milliseconds interval =
        std::clamp(duration / looks_per_soak, look_interval_min, look_interval_max);
    const Phase phase = record_.phase;
    HealthWatch health;
    TokenSuspicion suspicion(now_);
    bool disturbed_before = false;
    begin_step(duration);
    while (now_ < view_.step->ends) {
        const Milliseconds pause = std::min<Milliseconds>(interval, view_.step->ends - now_);
        const std::size_t waits = waits_;
        const BootTime looked = now_;
        co_await sleep_for(pause);
        const SampleUnits::Value samples = co_await sample();
        const bool blind = waits_ != waits || now_ - looked > pause + blind_max;
        if (blind) health.begin_anew();
        const HealthFinding finding = health.look(record_, samples, now_);
        const bool unseen = waits_for_more_;  // Until this look.
        tell(finding);
        if (suspicion.wants_a_look(finding, now_)) {
            const bool followed = co_await follow_changed_token();
            if (followed) co_return std::nullopt;
        }
        if (finding.failure) {
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
            tell_promotion(*finding.promoted);
            end_step();
            co_return index_of(finding.promoted->unit);
        }
        const bool disturbed = finding.disturbed || blind || unseen;
        if (disturbed) begin_step(duration);
        if (disturbed && !disturbed_before) tell_new_soak();
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

void Rotation::tell_new_soak() {
    say(EventKind::soak_restarted, Priority::warning,
        fmt::format("Not every restarted unit of {} was healthy: the soak begins anew",
                    inputs_.policy.name));
}

/// What one look told, for people. A unit that cannot be asked is waited for.
void Rotation::tell(const HealthFinding& finding) {
    tell_decays(finding);
    if (finding.unknown && !finding.failure && !finding.promoted) {
        wait_for(*finding.unknown);
    } else {
        waited_for_it();
    }
}

/// Told once nothing comes before it any more: a failure, another token, a unit to prove again.
void Rotation::tell_promotion(const HealthFinding::Promotion& promoted) {
    say(EventKind::replica_promoted, Priority::warning,
        fmt::format("{} {}: it is next", promoted.unit, promoted.why), promoted.unit);
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
