#pragma once

#include "model/connector.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// A connector that a unit reported as its own, and the process that it belongs to. It remains this
/// unit's connector as long as that process runs, even while the unit cannot be asked.
struct ProvenConnector {
    std::string unit;
    std::string invocation;
    std::string id;
    std::string origin_ip;  ///< From the API's list; empty if it has not been listed yet.
};

/// All connectors of a tunnel, as seen from this host.
struct Attached {
    std::vector<Connector> ours;
    std::vector<Connector> strangers;  ///< Certainly somebody else's.
    std::vector<Connector> doubtful;   ///< It is unknown whether these are ours.
};

/// A connector is ours if a unit reports it, or has reported it and still runs as the same process,
/// if it has no more connections than it may have, and if it comes from an address of ours. Its id
/// is not enough, because whoever connects can choose it, and it is no secret. A connector is a
/// stranger's if its id is unknown and either every unit has reported its own id or the address is
/// not ours. `samples` are those of `units`; nothing if systemd does not answer or the units are
/// not known yet. Pure.
[[nodiscard]] Attached sort_connectors(const std::vector<Connector>& listed,
                                       const std::vector<UnitProgress>& units,
                                       const std::optional<SampleUnits::Value>& samples,
                                       const std::vector<ProvenConnector>& proven);

[[nodiscard]] bool lists(const std::vector<Connector>& connectors, const std::string& id);

/// The verified units whose connector is not among these.
[[nodiscard]] std::vector<std::string> units_absent_from(const RotationRecord& record,
                                                         const std::vector<Connector>& connectors);

/// Ids from before the commit that are still among these.
[[nodiscard]] std::vector<std::string> stragglers_in(const RotationRecord& record,
                                                     const std::vector<Connector>& connectors);

/// Records what units report about themselves now; the newest report of a unit counts.
void note_proven(std::vector<ProvenConnector>& proven, const SampleUnits::Value& samples);

/// Records the addresses at which the API sees them.
void note_origins(std::vector<ProvenConnector>& proven, const std::vector<Connector>& ours);

}  // namespace keyturn
