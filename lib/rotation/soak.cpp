#include "rotation/soak.hpp"

#include "rotation/attached.hpp"
#include "rotation/proof.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_restart.hpp"
#include "rotation/verification.hpp"

#include <algorithm>

namespace keyturn {

namespace {

constexpr Milliseconds look_interval_max = std::chrono::seconds{2};
constexpr Milliseconds look_interval_min = Milliseconds{100};
constexpr int looks_per_soak = 20;

/// Somebody else's change of the secret is noticed within this time. Until then no unit can
/// reconnect.
constexpr Milliseconds token_look_interval = std::chrono::minutes{1};

/// Lost connections may be a sign of it, but they may also get lost one after the other.
constexpr Milliseconds token_look_pause = std::chrono::seconds{10};

/// Decides when a soak asks Cloudflare whether the token is still right: from time to time, and
/// soon after a connection was lost and did not come back.
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

Script<> Soak::soak_out() {
    if (record_.reverts() || record_.compromised()) co_return;
    for (;;) {
        const std::optional<std::size_t> promoted = co_await soak();
        if (!promoted) co_return;
        const bool still_ours = co_await token_.still_ours();
        if (!still_ours) co_await start_over();
        co_await restart_.roll(*promoted);
    }
}

Script<std::optional<std::size_t>> Soak::soak() {
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
    if (!promoted) {
        say(EventKind::soak_ended, Priority::info,
            fmt::format("{} was healthy for {}", inputs_.policy.name, to_text(healthy_for_)));
    }
    co_return promoted;
}

/// True if every restarted unit has all its former connections and is listed. An API that does not
/// answer counts as false.
Script<bool> Soak::all_is_back(SampleUnits::Value samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& unit = record_.units[i];
        const bool restarted = unit.step == UnitStep::verified;
        const int connections = samples[i].connections().value_or(0);
        if (restarted && connections < connections_wanted(unit)) co_return false;
    }
    const auto connectors = co_await ask<ListConnectors>();
    if (!connectors) co_return false;
    co_return units_absent_from(record_, *connectors).empty();
}

Script<std::optional<std::size_t>> Soak::watch(Milliseconds duration, Milliseconds at_least) {
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
        const bool unseen = context_.waits_for_more;  // Until this check.
        tell(finding);
        if (suspicion.wants_a_look(finding, now_)) {
            const bool followed = co_await token_.follow_if_changed();
            if (followed) co_await start_over();
        }
        if (finding.failure) {
            std::string text = fmt::format("{} was verified and then failed: {}",
                                           finding.failure->unit, finding.failure->text);
            co_await hold(HoldReason::verification_failed, std::move(text), finding.failure->unit);
        }
        if (finding.replaced) {
            co_await proof_.prove_replacement(*finding.replaced);
            co_await save(phase);
            begin_step(duration);
            health = HealthWatch();
            continue;
        }
        if (finding.promoted) {
            tell_promotion(*finding.promoted);
            end_step();
            co_return record_.index_of(finding.promoted->unit);
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

void Soak::tell_new_soak() {
    say(EventKind::soak_restarted, Priority::warning,
        fmt::format("Not every restarted unit of {} was healthy: the soak starts over",
                    inputs_.policy.name));
}

/// Reports the result of one check. Waits for a unit that cannot be asked.
void Soak::tell(const HealthFinding& finding) {
    tell_decays(finding);
    if (finding.unknown && !finding.failure && !finding.promoted) {
        wait_for(*finding.unknown);
    } else {
        waited_for_it();
    }
}

/// Reported only if nothing takes precedence: a failure, another token, or a unit to verify again.
void Soak::tell_promotion(const HealthFinding::Promotion& promoted) {
    say(EventKind::replica_promoted, Priority::warning,
        fmt::format("{} {}: keyturnd restarts it next", promoted.unit, promoted.why),
        promoted.unit);
}

}  // namespace keyturn
