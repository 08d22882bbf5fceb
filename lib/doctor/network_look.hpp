#pragma once

#include "doctor/facts.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace keyturn {

class Foreground;

/// A host and the port at which it has to answer.
struct NetworkTarget {
    std::string host;
    std::string port;
};

/// What is asked of the network, and how long the answers may take.
struct NetworkOptions {
    std::vector<NetworkTarget> api;  ///< The host of `api_url`.
    /// The two regions of Cloudflare's edge (cloudflared, edgediscovery/allregions/discovery.go).
    std::vector<NetworkTarget> edge{{"region1.v2.argotunnel.com", "7844"},
                                    {"region2.v2.argotunnel.com", "7844"}};
    std::string name_servers;  ///< See `resolve`.
    /// Long enough for one packet that is lost, and short for a person who waits.
    std::chrono::milliseconds resolve_patience{3'000};
    std::chrono::milliseconds answer_patience{2'000};
};

/// Resolves all names at once, then tries all addresses at once.
[[nodiscard]] NetworkSeen look_at_network(Foreground& host, const NetworkOptions& options);

/// The proxy variables among NAME=VALUE entries, as "NAME of WHOM". Pure.
[[nodiscard]] std::vector<std::string> proxy_variables(const std::vector<std::string>& environment,
                                                       const std::string& whose);

}  // namespace keyturn
