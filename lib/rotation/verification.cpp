#include "rotation/verification.hpp"

#include "base/counted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace keyturn {

UnitVerdict judge_unit(const UnitProgress& unit, const std::string& tunnel,
                       const SampleUnits::Sample& sample, int connections_needed) {
    using Standing = UnitVerdict::Standing;
    const UnitState& state = sample.state;
    const std::string shown = fmt::format("{}/{}", state.active_state, state.sub_state);
    if (state.at_rest() && !state.job_pending) {
        return {Standing::dead, fmt::format("{}, result {}", shown, state.result)};
    }
    if (state.load_state == "masked") {
        return {Standing::not_yet, fmt::format("{} and masked (run `systemctl unmask`)", shown)};
    }
    if (!state.running()) return {Standing::not_yet, shown};
    if (state.invocation.empty() || state.invocation == unit.invocation_before) {
        return {Standing::unchanged, "still the old process"};
    }
    if (sample.unknown()) return {Standing::unknown, shown + ", " + sample.why_unknown()};
    const Readiness& ready = *sample.readiness;
    if (ready.connector_id.empty() || ready.connector_id == unit.connector_before) {
        return {Standing::not_yet, "/ready still answers for the old process"};
    }
    if (!ready.tunnel.empty() && ready.tunnel != tunnel) {
        return {Standing::not_yet, fmt::format("serves tunnel {}", ready.tunnel)};
    }
    if (!ready.serving || ready.connections < connections_needed) {
        return {Standing::not_yet, fmt::format("{} of {}", ready.connections,
                                               counted(connections_needed, "connection"))};
    }
    return {Standing::healthy, counted(ready.connections, "connection")};
}

void forget_shared_answers(SampleUnits::Value& samples) {
    using Sample = SampleUnits::Sample;
    std::vector<std::string> texts(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const Sample& one = samples[i];
        if (!one.readiness || one.readiness->connector_id.empty()) continue;
        const auto other = std::ranges::find_if(samples, [&](const Sample& sample) {
            return sample.state.invocation != one.state.invocation && sample.readiness &&
                   sample.readiness->connector_id == one.readiness->connector_id;
        });
        if (other == samples.end()) continue;
        texts[i] = fmt::format(
            "the server that answers for it also answers for {}: correct `metrics_address:`",
            other->state.name);
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (texts[i].empty()) continue;
        samples[i].readiness.reset();
        samples[i].unasked = texts[i];
    }
}

int count_serving(const SampleUnits::Value& samples) {
    std::set<std::string_view> processes;
    int serving = 0;
    for (const SampleUnits::Sample& sample : samples) {
        const std::string& process = sample.state.invocation;
        const bool counted = !process.empty() && !processes.insert(process).second;
        if (sample.serves() && !counted) ++serving;
    }
    return serving;
}

int count_unknown(const SampleUnits::Value& samples) {
    return static_cast<int>(std::ranges::count_if(samples, &SampleUnits::Sample::unknown));
}

std::optional<std::string> first_unknown(const SampleUnits::Value& samples) {
    const auto found = std::ranges::find_if(samples, &SampleUnits::Sample::unknown);
    if (found == samples.end()) return std::nullopt;
    return fmt::format("{}: {}", found->state.name, found->why_unknown());
}

std::string SampleUnits::Sample::why_unknown() const {
    return "cannot ask /ready: " + (unasked.empty() ? "nothing was asked" : unasked);
}

}  // namespace keyturn
