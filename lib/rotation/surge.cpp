// A side story: too few others serve, so an extra connector is started with the new token and helps
// out until every unit has been restarted.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"

#include <fmt/format.h>

namespace keyturn {

namespace {

constexpr Milliseconds look_interval = std::chrono::seconds{1};

}  // namespace

/// The extra connector, if there is one and it does not help already.
std::optional<std::size_t> Rotation::idle_surge(const SampleUnits::Value& samples) const {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        const bool idle = record_.units[i].step == UnitStep::listed && samples[i].idle();
        if (record_.units[i].surge && idle) return i;
    }
    return std::nullopt;
}

/// Returns when it serves; holds when it does not, like every unit.
Script<> Rotation::start_surge(std::size_t index) {
    waited_for_it();
    SampleUnits::Sample own = view_.samples[index];
    co_await record_restart(index, std::move(own));
    co_await roll_unit(index);
    if (all_over_again_) co_return;
    co_await sleep_for(inputs_.policy.rollout.settle);
}

/// Once every unit has been restarted and proven. Whether it was started by us is not asked: where
/// the token changed meanwhile it may be left from before that.
Script<> Rotation::stop_surge() {
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        if (!record_.units[i].surge) continue;
        const SampleUnits::Value samples = co_await sample();
        const std::string& state = samples[i].state.active_state;
        const bool stopped = state == "inactive" && record_.units[i].step == UnitStep::listed;
        if (samples[i].state.loaded() && !stopped) co_await stop_surge_unit(i);
    }
}

Script<> Rotation::stop_surge_unit(std::size_t index) {
    const std::string name = record_.units[index].name;
    BootTime deadline = now_ + inputs_.policy.rollout.progress_deadline;
    for (std::size_t attempt = 0;; ++attempt) {
        co_await stand_still();
        SampleUnits::Value samples = co_await sample();
        if (!may_go_down(index, samples)) {
            const auto unknown = might_be_allowed(index, samples);
            if (unknown) deadline = now_ + inputs_.policy.rollout.progress_deadline;
            if (now_ >= deadline) {
                std::string why = "too few others serve for it to be stopped";
                co_await hold_for_replicas(name, std::move(why), std::move(samples));
            }
            co_await sleep_for(look_interval);
            continue;
        }
        StopUnit question;
        question.unit = name;
        question.deadline = record_.units[index].stop_and_start + job_slack;
        question.not_after = now_ + sample_age_max;
        const auto result = co_await ask(std::move(question));
        if (result) break;
        const Error error = result.error();
        if (!passes_by_itself(error.fault)) {
            std::string reason = "surge_not_stopped";
            std::string text = fmt::format("{} cannot be stopped: {}", name, error.text);
            co_await hold(std::move(reason), std::move(text), name);
        }
        std::string purpose = "cannot stop " + name;
        co_await wait_out(error, std::move(purpose), attempt);
    }
    waited_enough();
    record_.units[index].step = UnitStep::listed;
    co_await save(Phase::roll);
    say(EventKind::surge_stopped, Priority::notice,
        fmt::format("{} is stopped: every unit of {} has been restarted", name,
                    inputs_.policy.name),
        name);
}

}  // namespace keyturn
