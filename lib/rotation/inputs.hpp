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
    std::string trigger = "schedule";
    bool scheduled = false;                ///< Started by the schedule: refuses a wrong clock.
    bool accept_gap = false;               ///< The operator's word, beside the policy's.
    bool takes_over = false;               ///< Somebody else rotated; bring the units onto it.
    bool compromised = false;              ///< The token is in wrong hands: lock them out.
    bool evict_all = false;                ///< With that: drop our own connections, too.
    std::string superseded;                ///< With that: whose tokens are kept still.
    std::vector<ProvenConnector> proven;   ///< What units told of themselves lately.
    bool paused = false;                   ///< An operator wants no further step for now.
    int adoptions = 0;                     ///< How often that was done lately.
    std::vector<std::string> retired;      ///< Fingerprints that are not taken over.
    std::optional<RotationRecord> record;  ///< The open rotation on disk, when one is resumed.
    bool retried = false;                  ///< An operator took the hold off the record.
    std::string acknowledged_unit;         ///< The unit of that hold: its stop is accepted.
};

}  // namespace keyturn
