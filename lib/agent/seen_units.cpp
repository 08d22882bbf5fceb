#include "agent/seen_units.hpp"

#include <algorithm>
#include <utility>

namespace keyturn {

void SeenUnits::note(const SampleUnits::Value& samples, BootTime now) {
    std::map<std::string, Seen> seen;
    for (const SampleUnits::Sample& sample : samples) {
        const auto before = seen_.find(sample.state.name);
        Seen one{sample.state.invocation, sample.serves(), std::nullopt};
        const bool same = before != seen_.end() && before->second.invocation == one.invocation;
        if (sample.idle() && sample.state.running()) {
            one.idle_since = same ? before->second.idle_since.value_or(now) : now;
        }
        seen.emplace(sample.state.name, std::move(one));
    }
    seen_ = std::move(seen);
}

bool SeenUnits::lost(const SampleUnits::Sample& sample) const {
    const auto before = seen_.find(sample.state.name);
    if (!sample.idle() || before == seen_.end()) return false;
    return before->second.served || before->second.invocation != sample.state.invocation;
}

std::optional<BootTime> SeenUnits::idle_since(const std::vector<UnitStart>& starts) const {
    std::optional<BootTime> earliest;
    for (const UnitStart& start : starts) {
        const auto seen = seen_.find(start.unit);
        if (seen == seen_.end() || !seen->second.idle_since) continue;
        earliest = std::min(earliest.value_or(BootTime::max()), *seen->second.idle_since);
    }
    return earliest;
}

}  // namespace keyturn
