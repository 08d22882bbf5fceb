#pragma once

#include "cloudflared/socket_listing.hpp"

#include <cstdint>
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

/// The servers of a control group that can be asked over loopback, lowest port first.
struct GroupServers {
    std::vector<ServerAddress> reachable;
    std::vector<std::string> elsewhere;  ///< "192.0.2.1:20241": bound to another address.
    bool kernel_tells = false;           ///< Some socket had a control group at all.

    bool operator==(const GroupServers&) const = default;
};

/// Pure.
[[nodiscard]] GroupServers servers_of_group(std::vector<ListeningSocket> sockets,
                                            std::uint64_t control_group);

/// "127.0.0.1:20300" or "[::1]:20300".
[[nodiscard]] std::optional<ServerAddress> read_server_address(const std::string& text);

}  // namespace keyturn
