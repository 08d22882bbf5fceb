#include "rotation/health_watch.hpp"

#include "base/invariant.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

HealthFinding HealthWatch::look(const RotationRecord& record, const SampleUnits::Value& samples,
                                BootTime now) {
    invariant(samples.size() == record.units.size(), "every unit was sampled");
    HealthFinding finding;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& unit = record.units[i];
        if (unit.step == UnitStep::verified) look_at_restarted(unit, samples[i], now, finding);
        if (unit.step == UnitStep::waiting) look_at_waiting(unit, samples[i], now, finding);
    }
    return finding;
}

void HealthWatch::look_at_restarted(const UnitProgress& unit, const SampleUnits::Sample& sample,
                                    BootTime now, HealthFinding& finding) {
    const auto fail = [&](std::string text) {
        if (!finding.failure) finding.failure = HealthFinding::Failure{unit.name, std::move(text)};
        finding.disturbed = true;
    };
    if (sample.state.at_rest() && !sample.state.job_pending) {
        fail(fmt::format("it is {}/{}", sample.state.active_state, sample.state.sub_state));
        return;
    }
    if (runs_as_another(unit, sample)) {
        finding.replaced = unit.name;
        finding.disturbed = true;
        return;
    }
    if (sample.serving() && sample.connections() >= connections_tolerated(unit)) {
        lacking_since_.erase(unit.name);
        return;
    }
    finding.disturbed = true;
    const BootTime since = lacking_since_.try_emplace(unit.name, now).first->second;
    if (now - since >= lack_max) {
        fail(fmt::format("it has had {} of {} connections for {}", sample.connections(),
                         connections_wanted(unit), to_text(Milliseconds{now - since})));
    }
}

void HealthWatch::look_at_waiting(const UnitProgress& unit, const SampleUnits::Sample& sample,
                                  BootTime now, HealthFinding& finding) {
    const int connections = sample.serving() ? sample.connections() : 0;
    const int before = lowest_.try_emplace(unit.name, unit.baseline).first->second;
    lowest_[unit.name] = connections;
    if (connections < std::min(before, unit.baseline)) {
        finding.decays.push_back(HealthFinding::Decay{unit.name, connections, unit.baseline});
    }
    if (connections * 2 > unit.baseline) {
        halved_since_.erase(unit.name);
        return;
    }
    const BootTime since = halved_since_.try_emplace(unit.name, now).first->second;
    if (now - since >= decay_max && !finding.promoted) finding.promoted = unit.name;
}

}  // namespace keyturn
