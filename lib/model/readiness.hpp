#pragma once

#include <string>

namespace keyturn {

/// What a cloudflared process reports about itself (/ready and /diag/tunnel of its metrics server).
struct Readiness {
    std::string connector_id;  ///< New at each start of the process.
    std::string tunnel;        ///< UUID from /diag/tunnel; empty if that is not available.
    int connections = 0;       ///< readyConnections.
    bool serving = false;      ///< /ready answered 200.

    bool operator==(const Readiness&) const = default;
};

}  // namespace keyturn
