#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "sockets/socket_address.hpp"
#include "sockets/socket_listing.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace keyturn {

// These functions ask the kernel and do not wait: the system calls return the answer. They need
// AF_NETLINK but no privilege, and see only the sockets of this network namespace. Faults: `denied`
// if keyturnd may not ask, `invalid` if the kernel does not say which control group a socket
// belongs to, otherwise `unreachable`.

/// The listening TCP sockets of these control groups, IPv4 first, at most `sockets_of_groups_max`.
/// Takes 1 to `control_groups_max` groups. The kernel walks over all listening sockets of the host:
/// measured 30 to 50 ms with 152,000 of them (Linux 6.18, 2026-11), 0.1 ms with a handful.
[[nodiscard]] Result<std::vector<TcpSocket>> sockets_of_groups(
    std::span<const std::uint64_t> control_groups);

inline constexpr std::size_t sockets_of_groups_max = 1'024;

/// The socket that a connection to `server` would reach now; nothing if none listens there. The
/// time for this does not depend on the number of other sockets.
[[nodiscard]] Result<std::optional<TcpSocket>> listener_at(const SocketAddress& server);

/// Answers the same question again and again, over one socket to the kernel.
class Listeners {
  public:
    [[nodiscard]] Result<std::optional<TcpSocket>> at(const SocketAddress& server);

  private:
    UniqueFd socket_;
};

/// The socket of this host that is connected from `local` to `peer`; nothing if there is none.
[[nodiscard]] Result<std::optional<TcpSocket>> connection_between(const SocketAddress& local,
                                                                  const SocketAddress& peer);

}  // namespace keyturn
