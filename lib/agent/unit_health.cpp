#include "agent/unit_health.hpp"

#include "policy/expected.hpp"

#include <algorithm>

namespace keyturn {

std::string health_of(const SampleUnits::Sample& sample) {
    const UnitState& unit = sample.state;
    if (unit.active_state == "failed") return "failed";
    if (!unit.up()) return unit.started() ? "starting" : "stopped";
    if (sample.unknown()) return "unknown";
    return sample.serves() ? "serving" : "disconnected";
}

UnitHealth health_of(const SampleUnits::Sample& sample, const TunnelState& state) {
    UnitHealth unit{sample.state.name, health_of(sample), "", "", -1};
    if (!sample.state.up() && !sample.state.started()) return unit;
    unit.token_age = "unknown";
    const auto start = std::ranges::find(state.starts, unit.name, &UnitStart::unit);
    if (start == state.starts.end() || start->invocation != sample.state.invocation) return unit;
    const bool older = start->fingerprint != state.delivered;
    if (!older && !start->certain) return unit;
    unit.token_age = older ? "older" : "current";
    unit.fingerprint = start->fingerprint;
    return unit;
}

std::optional<WallTime> expected_end(const Rotation& rotation, const RolloutPolicy& rollout) {
    const RotationView& view = rotation.view();
    const RotationRecord& record = rotation.record();
    const bool rolls = view.phase == Phase::roll || view.phase == Phase::soak;
    if (view.state != RotationState::running || !view.step || !rolls) return std::nullopt;
    if (record.reverts() || record.compromised()) return std::nullopt;
    // A verification ends as soon as it succeeds; a settle and a soak last until their end.
    const bool soaks = view.phase == Phase::soak;
    const bool to_its_end = soaks || record.batch == 0;
    const WallTime from = view.step->wall_started +
                          (to_its_end ? view.step->ends - view.step->started : Milliseconds{0});
    RolloutPolicy rest = rollout;
    rest.settle = Milliseconds{0};
    const int batch = std::max(record.batch, 1);
    rest.batches = std::max(record.batch_count() - batch + (soaks ? 0 : 1), 0);
    const auto left = std::ranges::count_if(record.units, [](const UnitProgress& unit) {
        return !unit.surge && (unit.step == UnitStep::waiting || unit.step == UnitStep::restarting);
    });
    return from + expected_duration(rest, static_cast<std::size_t>(left));
}

}  // namespace keyturn
