#pragma once

#include "policy/policy.hpp"
#include "rotation/attached.hpp"
#include "rotation/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Everything that a rotation starts from.
struct RotationInputs {
    TunnelPolicy policy;
    RotationRequest request;
    std::string superseded;                ///< A compromise: the rotation whose tokens are kept.
    std::vector<ProvenConnector> proven;   ///< What units reported about themselves recently.
    bool paused = false;                   ///< An operator wants no further step for now.
    int take_overs = 0;                    ///< How often a token was taken over recently.
    std::vector<std::string> retired;      ///< Fingerprints that must not be taken over.
    std::optional<RotationRecord> record;  ///< The open rotation on disk, if one is resumed.
    bool retried = false;                  ///< An operator took the hold off the record.
    std::string acknowledged_unit;         ///< The unit of that hold: its stop is accepted.
};

}  // namespace keyturn
