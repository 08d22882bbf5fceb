#pragma once

#include "sockets/socket_address.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyturn {

/// Builds the bytes of NETLINK_SOCK_DIAG requests. Pure.

/// Asks for all listening TCP sockets of `family` (AF_INET or AF_INET6) that belong to one of
/// `control_groups`. The kernel does the filtering (INET_DIAG_BC_CGROUP_COND, Linux 5.8), so the
/// answer stays small however many other sockets there are. Takes 1 to `control_groups_max` groups.
[[nodiscard]] std::vector<std::byte> request_of_groups(
    int family, std::span<const std::uint64_t> control_groups);

inline constexpr std::size_t control_groups_max = 64;

/// Asks for the socket that a connection to that address would reach, whoever owns it. Returns
/// nothing if the host is not a numeric address or the port is not a port.
[[nodiscard]] std::optional<std::vector<std::byte>> request_of_listener(
    const SocketAddress& server);

/// Asks for the socket that is connected from `local` to `peer`. Returns nothing as above, or if
/// the two are of different families.
[[nodiscard]] std::optional<std::vector<std::byte>> request_of_connection(
    const SocketAddress& local, const SocketAddress& peer);

}  // namespace keyturn
