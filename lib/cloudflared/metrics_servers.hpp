#pragma once

#include "cloudflared/socket_listing.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Where a server can be asked.
struct ServerAddress {
    std::string host;
    std::string port;

    bool operator==(const ServerAddress&) const = default;
};

/// The servers of a unit, lowest port first. One that is bound to all addresses is asked over
/// loopback, any other where it is bound.
struct UnitServers {
    std::vector<ServerAddress> reachable;
    std::vector<std::string> elsewhere;  ///< "[fe80::1]:20241": an address of one link only.

    bool operator==(const UnitServers&) const = default;
};

/// `sockets` are those of the unit. Pure.
[[nodiscard]] UnitServers servers_of_unit(std::vector<ListeningSocket> sockets);

/// "127.0.0.1:20300" or "[::1]:20300".
[[nodiscard]] std::optional<ServerAddress> read_server_address(const std::string& text);

}  // namespace keyturn
