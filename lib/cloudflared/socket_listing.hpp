#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace keyturn {

/// A TCP socket that listens, as the kernel lists it.
struct ListeningSocket {
    std::string address;  ///< "127.0.0.1", "::1", "0.0.0.0", "::".
    std::uint16_t port = 0;
    std::optional<std::uint64_t> control_group;  ///< Nothing: a kernel that does not tell.

    auto operator<=>(const ListeningSocket&) const = default;
};

/// What a datagram of a NETLINK_SOCK_DIAG dump says about the dump.
enum class ListingStep {
    more,     ///< Another datagram follows.
    done,     ///< That was the last one.
    absent,   ///< There is no such socket, or no such kind of socket in this kernel.
    refused,  ///< The kernel does not take the request.
    failed,   ///< The datagram is none of such a dump.
};

/// Reads one datagram and appends the sockets in it. Pure; takes any bytes.
[[nodiscard]] ListingStep read_socket_listing(std::span<const std::byte> datagram,
                                              std::vector<ListeningSocket>& sockets);

}  // namespace keyturn
