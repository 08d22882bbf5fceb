#include "rotation/health_watch.hpp"

#include "base/counted.hpp"
#include "base/invariant.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

HealthFinding HealthWatch::look(const RotationRecord& record, const SampleUnits::Value& samples,
                                BootTime now) {
    invariant(samples.size() == record.units.size(), "every unit must be sampled");
    HealthFinding finding;
    new_token_serves_ = false;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const bool restarted = record.units[i].step == UnitStep::verified;
        if (restarted && samples[i].serves()) new_token_serves_ = true;
    }
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const UnitProgress& unit = record.units[i];
        if (unit.step == UnitStep::verified) look_at_restarted(unit, samples[i], now, finding);
        if (unit.step != UnitStep::waiting) continue;
        // With a token that is still good, it gets its connections back automatically.
        const bool decays = !record.keeps_token();
        look_at_waiting(unit, samples[i], decays, now, finding);
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
    const std::optional<int> connections = sample.connections();
    const bool never_told = unit.connector_after.empty();  // Only after a compromise.
    if (!connections && never_told) return;
    if (!connections) {
        finding.disturbed = true;
        if (!finding.unknown)
            finding.unknown = fmt::format("{}: {}", unit.name, sample.why_unknown());
        forget(unit.name);
        return;
    }
    if (runs_as_another(unit, sample)) {
        finding.replaced = unit.name;
        finding.disturbed = true;
        return;
    }
    if (sample.serves() && *connections >= connections_tolerated(unit)) {
        lacking_since_.erase(unit.name);
        return;
    }
    finding.disturbed = true;
    const BootTime since = lacking_since_.try_emplace(unit.name, now).first->second;
    if (now - since >= lack_max) {
        fail(fmt::format("it has had {} of {} for {}", *connections,
                         counted(connections_wanted(unit), "connection"),
                         to_text(Milliseconds{now - since})));
    }
}

void HealthWatch::look_at_waiting(const UnitProgress& unit, const SampleUnits::Sample& sample,
                                  bool decays, BootTime now, HealthFinding& finding) {
    const auto promote = [&](std::string why) {
        if (!finding.promoted && !sample.behind)
            finding.promoted = HealthFinding::Promotion{unit.name, std::move(why)};
    };
    if (came_back_anew(unit, sample)) {
        // It has read the new token and gets its connections automatically.
        promote("was started by somebody else");
        return;
    }
    if (!decays) return;
    const std::optional<int> connections = sample.connections();
    if (!connections) {
        forget(unit.name);
        return;
    }
    const int before = lowest_.try_emplace(unit.name, unit.baseline).first->second;
    lowest_[unit.name] = *connections;
    if (*connections < std::min(before, unit.baseline)) {
        finding.decays.push_back(HealthFinding::Decay{unit.name, *connections, unit.baseline});
    }
    // systemd restarts a process that ends, but not one that has merely lost its connections.
    const bool lost = sample.state.running() && *connections == 0;
    if (!lost || !new_token_serves_) lost_since_.erase(unit.name);
    if (lost && new_token_serves_) {
        const BootTime since = lost_since_.try_emplace(unit.name, now).first->second;
        if (now - since >= lost_max) promote("has lost all of its connections");
    }
    if (*connections * 2 > unit.baseline || (lost && !new_token_serves_)) {
        halved_since_.erase(unit.name);
        return;
    }
    const BootTime since = halved_since_.try_emplace(unit.name, now).first->second;
    if (now - since >= decay_max) promote("has lost half of its connections");
}

void HealthWatch::begin_anew() {
    lacking_since_.clear();
    halved_since_.clear();
}

/// Earlier observations do not continue over a time in which nothing was seen.
void HealthWatch::forget(const std::string& unit) {
    lacking_since_.erase(unit);
    halved_since_.erase(unit);
    lost_since_.erase(unit);
}

}  // namespace keyturn
