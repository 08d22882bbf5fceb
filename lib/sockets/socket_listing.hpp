#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyturn {

/// A TCP socket in the kernel's list: its own end.
struct TcpSocket {
    std::string address;  ///< "127.0.0.1", "::1", "0.0.0.0", "::".
    std::uint16_t port = 0;
    std::optional<std::uint64_t> control_group;  ///< Nothing if the kernel does not report it.
    /// The id of the user who opened it. With PrivateUsers=, keyturnd sees only root and itself as
    /// they are, and everybody else as nobody.
    std::uint32_t owner = UINT32_MAX;

    auto operator<=>(const TcpSocket&) const = default;
};

/// What a datagram of a NETLINK_SOCK_DIAG dump says about the dump.
enum class ListingStep {
    more,     ///< Another datagram follows.
    done,     ///< That was the last one.
    absent,   ///< There is no such socket, or this kernel knows no such kind of socket.
    refused,  ///< The kernel does not accept the request.
    failed,   ///< The datagram is not part of such a dump.
};

/// Reads one datagram and appends the sockets in it. Accepts any bytes. Pure.
[[nodiscard]] ListingStep read_socket_listing(std::span<const std::byte> datagram,
                                              std::vector<TcpSocket>& sockets);

}  // namespace keyturn
