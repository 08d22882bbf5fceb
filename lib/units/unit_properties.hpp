#pragma once

#include "base/result.hpp"
#include "model/unit_state.hpp"

#include <systemd/sd-bus.h>

#include <string>
#include <vector>

namespace keyturn {

/// What one GetAll of a unit's properties says. Atomic: systemd answers from one moment. A property
/// that is missing or of another type than documented keeps its empty value, so that a systemd
/// which we do not understand makes a unit look as not running, never as running.
struct UnitProperties {
    UnitState state;
    UnitSettings settings;                   ///< Without `dragged_along`.
    std::string job_path;                    ///< "/": none. Empty: not told.
    std::vector<std::string> propagates_to;  ///< Units that a restart of this one may take along.
};

/// Reads the reply to org.freedesktop.DBus.Properties.GetAll(""). Secrets are cut off.
[[nodiscard]] Result<UnitProperties> read_unit_properties(sd_bus_message* reply,
                                                          const std::string& unit);

/// Reads the reply to Properties.Get of the manager's Environment, which every unit inherits. The
/// values are cut off.
[[nodiscard]] Result<std::vector<std::string>> read_manager_environment(sd_bus_message* reply);

}  // namespace keyturn
