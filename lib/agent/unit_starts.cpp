#include "agent/unit_starts.hpp"

#include <algorithm>

namespace keyturn {

namespace {

UnitStart* find(TunnelState& state, const std::string& unit) {
    const auto found = std::ranges::find(state.starts, unit, &UnitStart::unit);
    return found == state.starts.end() ? nullptr : &*found;
}

bool has_process(const UnitState& unit) {
    return unit.up() || unit.started();
}

}  // namespace

std::vector<std::string> note_starts(TunnelState& state, const SampleUnits::Value& samples,
                                     bool unchanged) {
    std::vector<std::string> unknown;
    std::vector<UnitStart> starts;
    for (const SampleUnits::Sample& sample : samples) {
        const UnitState& unit = sample.state;
        const UnitStart* before = find(state, unit.name);
        UnitStart now{unit.name, "", state.delivered, false};
        if (has_process(unit)) now.invocation = unit.invocation;
        if (before != nullptr && before->invocation == now.invocation) {
            now = *before;
        } else if (!now.invocation.empty()) {
            now.certain = before != nullptr && unchanged;
            if (!now.certain) unknown.push_back(unit.name);
        }
        starts.push_back(std::move(now));
    }
    state.starts = std::move(starts);
    return unknown;
}

void note_end_of_rotation(TunnelState& state, const HistoryEntry& entry) {
    if (entry.new_fingerprint.empty()) return;  // Refused.
    state.delivered = entry.new_fingerprint;
    const bool brought = entry.outcome == Outcome::done || entry.outcome == Outcome::taken_over;
    for (const UnitProgress& unit : entry.units) {
        const bool left_behind = brought && unit.step == UnitStep::waiting && !unit.surge;
        if (left_behind && !unit.invocation_old.empty() && find(state, unit.name) == nullptr) {
            state.starts.push_back({unit.name, unit.invocation_old, entry.old_fingerprint, false});
        }
        const bool proven = unit.step == UnitStep::verified && !unit.surge;
        if (!proven || unit.invocation_after.empty()) continue;
        const UnitStart now{unit.name, unit.invocation_after, entry.new_fingerprint, true};
        if (UnitStart* start = find(state, unit.name)) {
            *start = now;
        } else {
            state.starts.push_back(now);
        }
    }
}

bool runs_on_delivered(const TunnelState& state, const UnitState& unit) {
    return std::ranges::any_of(state.starts, [&](const UnitStart& start) {
        return start.unit == unit.name && start.invocation == unit.invocation && start.certain &&
               start.fingerprint == state.delivered;
    });
}

std::vector<UnitStart> outdated_starts(const TunnelState& state) {
    std::vector<UnitStart> outdated = state.starts;
    std::erase_if(outdated, [&](const UnitStart& start) {
        return start.invocation.empty() || start.fingerprint == state.delivered;
    });
    return outdated;
}

std::vector<UnitStart> unknown_starts(const TunnelState& state) {
    std::vector<UnitStart> unknown = state.starts;
    std::erase_if(unknown, [&](const UnitStart& start) {
        return start.invocation.empty() || start.fingerprint != state.delivered || start.certain;
    });
    return unknown;
}

}  // namespace keyturn
