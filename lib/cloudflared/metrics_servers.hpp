#pragma once

#include "sockets/socket_address.hpp"
#include "sockets/socket_listing.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// The servers of a unit, lowest port first. A server bound to all addresses is asked over
/// loopback, any other at its own address.
struct UnitServers {
    std::vector<SocketAddress> reachable;
    std::vector<std::string> elsewhere;  ///< "[fe80::1]:20241": reachable on one link only.

    bool operator==(const UnitServers&) const = default;
};

/// `sockets` are those of one unit. Pure.
[[nodiscard]] UnitServers servers_of_unit(std::vector<TcpSocket> sockets);

/// Reads "127.0.0.1:20300" or "[::1]:20300". Returns nothing for any other text.
[[nodiscard]] std::optional<SocketAddress> read_socket_address(const std::string& text);

}  // namespace keyturn
