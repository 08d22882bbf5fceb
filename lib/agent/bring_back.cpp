#include "agent/bring_back.hpp"

#include "agent/unit_starts.hpp"
#include "policy/expected.hpp"
#include "schedule/start_interval.hpp"

#include <algorithm>

namespace keyturn {

namespace {

/// How long a unit must be without a connection before that counts.
constexpr std::chrono::seconds idle_counts_after{2};

}  // namespace

bool may_bring_back(const TunnelPolicy& policy, std::size_t units,
                    const std::vector<UnitStart>& outdated, const SeenUnits& seen, BootTime now,
                    WallTime wall_now) {
    if (policy.drift.restart == DriftRestart::now) return true;
    const std::optional<BootTime> idle = seen.idle_since(outdated);
    if (idle && *idle <= now - idle_counts_after) return true;
    const Milliseconds expected = expected_duration(policy.rollout, units);
    const auto interval = next_start_interval(policy.schedule, wall_now, expected);
    return !interval || interval->begins <= wall_now;
}

RotationRecord plan_for_outdated(const TunnelPolicy& policy, const TunnelState& state,
                                 const PreflightFacts& facts, const UnitStart& outdated,
                                 WallTime wall_now) {
    const RotationRequest request{RotationKind::takeover, std::string(trigger_for_outdated)};
    RotationRecord record = record_of(request, wall_now);
    record.phase = Phase::commit;
    record.old_fingerprint = outdated.fingerprint;
    record.new_fingerprint = state.delivered;
    record.foreign = true;
    record.units = plan_units(policy, facts);
    std::vector<std::string> staying;
    for (UnitProgress& unit : record.units) {
        const auto sample = std::ranges::find_if(
            facts.samples, [&](const auto& one) { return one.state.name == unit.name; });
        const bool stays = unit.step == UnitStep::waiting && sample->serves() &&
                           runs_on_delivered(state, sample->state);
        if (!stays) continue;
        unit.step = UnitStep::verified;
        unit.verified_by = "its start";
        unit.invocation_after = sample->state.invocation;
        unit.connector_after = sample->readiness->connector_id;
        staying.push_back(unit.connector_after);
    }
    for (const Connector& connector : facts.connectors) {
        if (std::ranges::find(staying, connector.id) != staying.end()) continue;
        record.connectors_before.push_back(connector.id);
    }
    return record;
}

}  // namespace keyturn
