#include "rotation/record.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

int RotationRecord::batch_count() const {
    int count = 0;
    for (const UnitProgress& unit : units) count = std::max(count, unit.batch);
    return count;
}

const UnitProgress* RotationRecord::find(std::string_view unit) const {
    const auto found = std::ranges::find(units, unit, &UnitProgress::name);
    return found == units.end() ? nullptr : &*found;
}

std::size_t RotationRecord::index_of(std::string_view unit) const {
    const auto found = std::ranges::find(units, unit, &UnitProgress::name);
    invariant(found != units.end(), "the unit must be a planned one");
    return static_cast<std::size_t>(found - units.begin());
}

bool RotationRecord::everyone_proven() const {
    return std::ranges::all_of(units, [](const UnitProgress& unit) {
        const bool verified = unit.step == UnitStep::verified && !unit.surge;
        return verified || unit.step == UnitStep::listed;
    });
}

void RotationRecord::begin_roll_out_anew() {
    const int last = batch_count() + 1;
    for (UnitProgress& unit : units) {
        unit.invocation_before.clear();
        if (unit.surge) unit.step = UnitStep::listed;
        if (unit.step == UnitStep::listed) continue;
        unit.step = UnitStep::waiting;
        if (unit.batch == 0) unit.batch = last;  // It was not to restart.
    }
    batch = 0;
}

RotationRecord record_of(const RotationRequest& request, WallTime now, std::string superseded,
                         int take_overs) {
    RotationRecord record;
    record.request = request;
    record.phase = Phase::preflight;
    record.started = now;
    record.superseded = std::move(superseded);
    record.take_overs = take_overs;
    return record;
}

HoldReason hold_reason_for(Fault fault) {
    const auto reason = value_named<HoldReason>(name_of(fault));
    invariant(reason.has_value(), "a temporary fault leads to a wait and not to a hold");
    return *reason;
}

void retire(TunnelState& state, const std::string& old_fingerprint,
            const std::string& new_fingerprint) {
    std::vector<std::string>& retired = state.retired;
    std::erase(retired, new_fingerprint);
    if (old_fingerprint.empty() || old_fingerprint == new_fingerprint) return;
    std::erase(retired, old_fingerprint);
    retired.push_back(old_fingerprint);
    if (retired.size() > retired_max) retired.erase(retired.begin());
}

}  // namespace keyturn
