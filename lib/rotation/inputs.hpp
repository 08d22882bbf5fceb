#pragma once

#include "policy/policy.hpp"
#include "rotation/attached.hpp"
#include "rotation/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What a rotation starts from.
struct RotationInputs {
    TunnelPolicy policy;
    RotationRequest request;
    std::string superseded;                ///< A compromise: whose tokens are kept still.
    std::vector<ProvenConnector> proven;   ///< What units told of themselves lately.
    bool paused = false;                   ///< An operator wants no further step for now.
    int adoptions = 0;                     ///< How often that was done lately.
    std::vector<std::string> retired;      ///< Fingerprints that are not taken over.
    std::optional<RotationRecord> record;  ///< The open rotation on disk, when one is resumed.
    bool retried = false;                  ///< An operator took the hold off the record.
    std::string acknowledged_unit;         ///< The unit of that hold: its stop is accepted.
};

}  // namespace keyturn
