// Describes the state of a tunnel, for a person who reads the story of a failed run.

#include "simulation/tunnel_model.hpp"

#include <fmt/format.h>

namespace keyturn::simulation {

std::string TunnelModel::describe() const {
    std::string text = fmt::format(
        "{}: api {} shown {} file {} staged {} kept {}/{} record {}", policy_.name,
        cloud_.current(), cloud_.shown(now_), disk_.token_file,
        disk_.staged ? disk_.staged->token : 0, disk_.kept ? disk_.kept->fresh : 0,
        disk_.kept ? disk_.kept->old : 0, disk_.record ? name_of(disk_.record->phase) : "none");
    for (const UnitModel& unit : units_) {
        const UnitState state = unit.state();
        text += fmt::format("\n    {}: {}/{} token {} connections {}{}", unit.name(),
                            state.active_state, state.sub_state, unit.token(),
                            unit.readiness().connections, unit.hidden() ? ", cannot be asked" : "");
    }
    return text;
}

}  // namespace keyturn::simulation
