#pragma once

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

/// Asks for the socket that a connection to that address and port would reach, whoever owns it.
/// Returns nothing if `host` is not a numeric address or `port` is not a port.
[[nodiscard]] std::optional<std::vector<std::byte>> request_of_listener(const std::string& host,
                                                                        const std::string& port);

}  // namespace keyturn
