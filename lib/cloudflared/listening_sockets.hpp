#pragma once

#include "base/result.hpp"
#include "cloudflared/metrics_servers.hpp"
#include "cloudflared/socket_listing.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace keyturn {

// Both ask the kernel and do not wait: it answers within the system calls. They need AF_NETLINK,
// and no privilege, and see the sockets of this network namespace only. `denied` where that is
// closed to us, `invalid` where the kernel does not tell whose a socket is, else `unreachable`.

/// The TCP sockets of these control groups that listen, v4 first; 1 to `control_groups_max` groups.
/// At most `sockets_of_groups_max`. The kernel walks over all listening sockets of the host for
/// it: 30 to 50 ms with 152,000 of them (6.18, 2026-11), 0.1 ms with a handful.
[[nodiscard]] Result<std::vector<ListeningSocket>> sockets_of_groups(
    std::span<const std::uint64_t> control_groups);

inline constexpr std::size_t sockets_of_groups_max = 1'024;

/// The socket that a connection to `server` would reach now; nothing if none listens there. The
/// time for it does not depend on how many others listen.
[[nodiscard]] Result<std::optional<ListeningSocket>> listener_at(const ServerAddress& server);

}  // namespace keyturn
