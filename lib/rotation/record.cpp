#include "rotation/record.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn {

namespace {

template <class Value, std::size_t size>
using Names = std::array<std::pair<Value, std::string_view>, size>;

constexpr Names<Phase, 7> phase_names{{
    {Phase::preflight, "preflight"},
    {Phase::prepare, "prepare"},
    {Phase::commit, "commit"},
    {Phase::revert, "reverting"},
    {Phase::roll, "roll"},
    {Phase::soak, "soak"},
    {Phase::finish, "finish"},
}};

constexpr Names<UnitStep, 4> unit_step_names{{
    {UnitStep::listed, "listed"},
    {UnitStep::waiting, "waiting"},
    {UnitStep::restarting, "restarting"},
    {UnitStep::verified, "verified"},
}};

template <class Value, std::size_t size>
std::string_view name_in(const Names<Value, size>& names, Value value) {
    return std::ranges::find(names, value, &std::pair<Value, std::string_view>::first)->second;
}

template <class Value, std::size_t size>
std::optional<Value> value_in(const Names<Value, size>& names, std::string_view name) {
    const auto* found = std::ranges::find(names, name, &std::pair<Value, std::string_view>::second);
    if (found == names.end()) return std::nullopt;
    return found->first;
}

}  // namespace

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
    invariant(found != units.end(), "only planned units are spoken of");
    return static_cast<std::size_t>(found - units.begin());
}

bool RotationRecord::everyone_proven() const {
    return std::ranges::all_of(units, [](const UnitProgress& unit) {
        const bool verified = unit.step == UnitStep::verified && !unit.surge;
        return verified || unit.step == UnitStep::listed;
    });
}

void RotationRecord::begin_roll_out_anew() {
    for (UnitProgress& unit : units) {
        unit.invocation_before.clear();
        if (unit.surge) unit.step = UnitStep::listed;
        if (unit.step != UnitStep::listed) unit.step = UnitStep::waiting;
    }
    batch = 0;
}

std::string_view name_of(Phase phase) {
    return name_in(phase_names, phase);
}
std::string_view name_of(UnitStep step) {
    return name_in(unit_step_names, step);
}
std::optional<Phase> phase_named(std::string_view name) {
    return value_in(phase_names, name);
}
std::optional<UnitStep> unit_step_named(std::string_view name) {
    return value_in(unit_step_names, name);
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
