#include "rotation/restart_window.hpp"

#include "policy/expected.hpp"
#include "rotation/capacity.hpp"
#include "rotation/health_watch.hpp"
#include "rotation/token_watch.hpp"
#include "schedule/start_interval.hpp"

#include <algorithm>

namespace keyturn {

namespace {

/// How often the units are checked until their window opens.
constexpr Milliseconds look_interval = std::chrono::seconds{15};

}  // namespace

Script<Ending> RestartWindow::tell() {
    const bool none = record_.phase == Phase::finish || ends_after_delivery();
    if (none) co_return Ending::go_on(ChapterName::finish);
    co_await await_window();
    co_return Ending::go_on(ChapterName::roll_out);
}

/// When units that nobody has restarted yet may restart: now, or when the next long enough window
/// opens. keyturnd does not wait for a window that never comes.
WallTime RestartWindow::restarts_from() const {
    const bool waits = record_.takes_over() &&
                       inputs_.policy.drift.restart == DriftRestart::window &&
                       std::ranges::all_of(record_.units, [](const UnitProgress& unit) {
                           return unit.step == UnitStep::waiting || unit.step == UnitStep::listed;
                       });
    if (!waits) return wall_now_;
    const Milliseconds expected = expected_duration(inputs_.policy.rollout, record_.units.size());
    const auto interval = next_start_interval(inputs_.policy.schedule, wall_now_, expected);
    return interval ? std::max(interval->begins, wall_now_) : wall_now_;
}

Script<> RestartWindow::await_window() {
    HealthWatch health;
    BootTime token_seen = now_;
    for (;;) {
        const WallTime opens = restarts_from();
        if (opens <= wall_now_) break;
        wait_for(fmt::format(
            "the units of {} run on a token that opens no new connection; keyturnd restarts them "
            "when the window opens at {}, or as soon as one loses its connections",
            inputs_.policy.name, to_text(opens)));
        const Milliseconds pause = std::min<Milliseconds>(opens - wall_now_, look_interval);
        co_await sleep_for(pause);
        if (now_ - token_seen >= inputs_.policy.drift.interval) {
            static_cast<void>(co_await token_.follow_if_changed());
            token_seen = now_;
        }
        const SampleUnits::Value samples = co_await sample();
        const HealthFinding finding = health.look(record_, samples, now_);
        tell_decays(finding);
        if (finding.promoted || capacity_.waiting_without_connection(samples)) break;
    }
    waited_for_it();
}

}  // namespace keyturn
