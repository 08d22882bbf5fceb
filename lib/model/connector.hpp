#pragma once

#include <string>

namespace keyturn {

/// One cloudflared process as the API lists it (GET connections: a "client").
struct Connector {
    std::string id;         ///< Equals connectorId of /ready; new at each start of the process.
    std::string origin_ip;  ///< Where its connections come from; empty if unknown.
    std::string run_at;     ///< RFC 3339, as the API wrote it.
    std::string version;
    int connections = 0;
    std::string tag{};  ///< The first of its features that begins with "keyturn-"; empty: none.

    bool operator==(const Connector&) const = default;
};

}  // namespace keyturn
