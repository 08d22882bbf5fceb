#include "rotation/surge.hpp"

#include "rotation/capacity.hpp"
#include "rotation/unit_restart.hpp"

namespace keyturn {

namespace {

constexpr Milliseconds look_interval = std::chrono::seconds{1};

}  // namespace

Script<> Surge::stop() {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        if (!record_.units[i].surge) continue;
        const SampleUnits::Value samples = co_await sample();
        const std::string& state = samples[i].state.active_state;
        const bool stopped = state == "inactive" && record_.units[i].step == UnitStep::listed;
        if (samples[i].state.loaded() && !stopped) co_await stop_unit(i);
    }
}

Script<> Surge::stop_unit(std::size_t index) {
    const std::string name = record_.units[index].name;
    BootTime deadline = now_ + inputs_.policy.rollout.progress_deadline;
    for (std::size_t attempt = 0;; ++attempt) {
        co_await stand_still();
        const SampleUnits::Value samples = co_await sample();
        if (!capacity_.may_go_down(index, samples)) {
            const auto unknown = capacity_.might_be_allowed(index, samples);
            if (unknown) deadline = now_ + inputs_.policy.rollout.progress_deadline;
            if (now_ >= deadline) {
                co_await restart_.hold_for_replicas(
                    name, "too few others serve for it to be stopped", samples);
            }
            co_await sleep_for(look_interval);
            continue;
        }
        StopUnit question{name, record_.units[index].stop_and_start + job_slack,
                          now_ + sample_age_max};
        const auto result = co_await ask(std::move(question));
        if (result) break;
        const Error error = result.error();
        if (!passes_by_itself(error.fault)) {
            std::string text = fmt::format("{} cannot be stopped: {}", name, error.text);
            co_await hold(HoldReason::surge_not_stopped, std::move(text), name);
        }
        co_await wait_out(error, "cannot stop " + name, attempt);
    }
    waited_enough();
    record_.units[index].step = UnitStep::listed;
    co_await save(Phase::roll);
    say(EventKind::surge_stopped, Priority::notice,
        fmt::format("Stopped {}: every unit of {} has been restarted", name, inputs_.policy.name),
        name);
}

}  // namespace keyturn
