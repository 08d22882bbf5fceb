#include "fleet/document.hpp"

#include "base/ascii.hpp"
#include "model/unit_command.hpp"

#include <algorithm>

namespace keyturn {
namespace {

constexpr std::size_t host_size_max = 64;   // HOST_NAME_MAX of Linux.
constexpr std::size_t unit_size_max = 255;  // UNIT_NAME_MAX of systemd.

}  // namespace

const MemberUnit* FleetMember::find(std::string_view unit) const {
    const auto found = std::ranges::find(units, unit, &MemberUnit::name);
    return found == units.end() ? nullptr : &*found;
}

std::vector<std::string> FleetDocument::unstaged(const RotationRecord& record) const {
    std::vector<std::string> hosts;
    const bool commits = state.rotation && sealed && state.rotation->phase == Phase::prepare &&
                         record.phase == Phase::commit && !record.compromised();
    if (!commits) return hosts;
    for (const auto& [host, member] : members) {
        if (member.staged != sealed->rotation_id) hosts.push_back(host);
    }
    return hosts;
}

const FleetTurn* FleetDocument::turn_of(std::string_view unit) const {
    const FleetTurn* newest = nullptr;
    for (const FleetTurn& turn : turns) {
        const bool newer = newest == nullptr || turn.number > newest->number;
        if (turn.unit == unit && newer) newest = &turn;
    }
    return newest;
}

bool is_fleet_host(std::string_view name) {
    return !name.empty() && name.size() <= host_size_max && is_alphanumeric(name.front()) &&
           consists_of(name, "-_.");
}

bool is_unit_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    const bool has_type = dot != std::string_view::npos && dot > 0 && dot + 1 < name.size();
    return has_type && name.size() <= unit_size_max && consists_of(name, ":-_.\\@");
}

bool same_end(const HistoryEntry& one, const HistoryEntry& other) {
    return one.started == other.started && one.ended == other.ended;
}

std::string fleet_unit(const std::string& host, const std::string& unit) {
    return host + "/" + unit;
}

std::optional<FleetUnitName> split_fleet_unit(std::string_view name) {
    const std::string_view host = host_of(name);
    if (!is_fleet_host(host)) return std::nullopt;
    const std::string_view unit = name.substr(host.size() + 1);
    if (!is_unit_name(unit)) return std::nullopt;
    return FleetUnitName{std::string(host), std::string(unit)};
}

}  // namespace keyturn
