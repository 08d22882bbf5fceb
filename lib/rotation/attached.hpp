#pragma once

#include "model/connector.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// A connector that a unit told of itself, and as which process. It stays this unit's for as long
/// as that process runs, also while it cannot be asked.
struct ProvenConnector {
    std::string unit;
    std::string invocation;
    std::string id;
    std::string origin_ip;  ///< As the API listed it; empty: not seen there yet.
};

/// Everybody who is attached to a tunnel, seen from this host.
struct Attached {
    std::vector<Connector> ours;
    std::vector<Connector> strangers;  ///< Surely none of ours.
    std::vector<Connector> doubtful;   ///< Whether it is one of ours cannot be told.
};

/// Ours is a connector that a unit tells of, or told of as the process that it still is, with no
/// more connections than it may have, from an address that ours come from: its id alone is chosen
/// by whoever connects, and no secret. A stranger is who has an id of nobody, where every unit
/// tells its own or the address is not ours. `samples` are those of `units`; nothing: systemd does
/// not answer, or it is not known yet which units there are. Pure.
[[nodiscard]] Attached sort_connectors(const std::vector<Connector>& listed,
                                       const std::vector<UnitProgress>& units,
                                       const std::optional<SampleUnits::Value>& samples,
                                       const std::vector<ProvenConnector>& proven);

[[nodiscard]] bool lists(const std::vector<Connector>& connectors, const std::string& id);

/// The units that have verified, and whose connector is not among these.
[[nodiscard]] std::vector<std::string> units_absent_from(const RotationRecord& record,
                                                         const std::vector<Connector>& connectors);

/// Ids from before the commit that are still among these.
[[nodiscard]] std::vector<std::string> stragglers_in(const RotationRecord& record,
                                                     const std::vector<Connector>& connectors);

/// Takes in what units tell of themselves now, the newest of each unit.
void note_proven(std::vector<ProvenConnector>& proven, const SampleUnits::Value& samples);

/// And from which address the API sees them.
void note_origins(std::vector<ProvenConnector>& proven, const std::vector<Connector>& ours);

}  // namespace keyturn
