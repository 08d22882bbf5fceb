#pragma once

#include "base/result.hpp"
#include "model/unit_state.hpp"

#include <systemd/sd-bus.h>

#include <string>
#include <vector>

namespace keyturn {

/// The result of one GetAll of a unit's properties, which describes a single moment. A property
/// that is missing or of an undocumented type keeps its empty value. So a unit of an unknown
/// systemd version looks as if it does not run, never as if it runs.
struct UnitProperties {
    UnitState state;
    UnitSettings settings;                   ///< Without `dragged_along`.
    std::string job_path;                    ///< "/" for no job; empty if unknown.
    std::vector<std::string> propagates_to;  ///< Units that a restart of this one may affect.
};

/// Reads the reply to org.freedesktop.DBus.Properties.GetAll("") and cuts off secrets. Fails with
/// `Fault::invalid`.
[[nodiscard]] Result<UnitProperties> read_unit_properties(sd_bus_message* reply,
                                                          const std::string& unit);

/// Reads the reply to Properties.Get for the manager's Environment, which every unit inherits, and
/// cuts off the values. Fails with `Fault::invalid`.
[[nodiscard]] Result<std::vector<std::string>> read_manager_environment(sd_bus_message* reply);

}  // namespace keyturn
