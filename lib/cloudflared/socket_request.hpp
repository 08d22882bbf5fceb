#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyturn {

/// The bytes of NETLINK_SOCK_DIAG requests. Pure.

/// Asks for all TCP sockets of `family` (AF_INET, AF_INET6) that listen and belong to one of
/// `control_groups`. The kernel looks through them, so that the answer holds none of others,
/// however many there are (INET_DIAG_BC_CGROUP_COND, Linux 5.8). 1 to `control_groups_max` groups.
[[nodiscard]] std::vector<std::byte> request_of_groups(
    int family, std::span<const std::uint64_t> control_groups);

inline constexpr std::size_t control_groups_max = 64;

/// Asks for the socket that a connection to that address and port would reach, whoever's it is.
/// Nothing where `host` is no address in numbers or `port` is none.
[[nodiscard]] std::optional<std::vector<std::byte>> request_of_listener(const std::string& host,
                                                                        const std::string& port);

}  // namespace keyturn
