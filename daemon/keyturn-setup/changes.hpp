#pragma once

#include "host.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The units of one tunnel that are to take their token from keyturn's file.
struct TunnelToBringIn {
    std::string name;  ///< In the policy.
    std::vector<const SurveyedUnit*> units;
    bool others = false;       ///< It has other units, which are not to be brought in now.
    bool other_hosts = false;  ///< It also runs on other hosts, and is not of a fleet yet.

    [[nodiscard]] bool is_alone() const { return units.size() == 1 && !others; }
};

/// The files that bringing in these units writes: their drop-ins, and for a lone unit the unit of
/// an extra connector, if it can run beside it.
[[nodiscard]] Result<std::vector<FileChange>> changes_of(const TunnelToBringIn& tunnel);

/// The unit of the extra connector for a tunnel, made from one of its units. `drop_in` is the text
/// of the drop-in that moves the unit onto keyturn's file; empty if the unit has it already.
[[nodiscard]] Result<FileChange> surge_unit_for(const UnitSettings& settings,
                                                const std::string& tunnel,
                                                const std::string& drop_in = {});

/// True if the unit, and its process, take the token from keyturn's file.
[[nodiscard]] bool takes_from_keyturn(const SurveyedUnit& unit, const std::string& tunnel);

/// What an operator does once these tunnels are brought in, a text with whole lines.
[[nodiscard]] std::string next_steps(const std::vector<TunnelToBringIn>& tunnels);

}  // namespace keyturn
