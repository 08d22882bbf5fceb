#include "cloudflared/listening_sockets.hpp"

#include "base/unique_fd.hpp"

#include <array>
#include <cerrno>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace keyturn {

namespace {

/// The kernel fills datagrams of at most this size in a dump.
constexpr std::size_t datagram_bytes_max = 32 * 1024;
/// About 300 sockets fit into one: far more sockets than a host has listening.
constexpr int datagrams_max = 1'000;

struct Request {
    nlmsghdr header;
    inet_diag_req_v2 filter;
};

Error failure(int errno_value, const char* what) {
    Error error = errno_error(errno_value, what);
    error.fault = Fault::unreachable;
    if (errno_value == EAFNOSUPPORT || errno_value == EPERM || errno_value == EACCES) {
        error.fault = Fault::denied;
        error.text += " (does the unit's RestrictAddressFamilies= have AF_NETLINK?)";
    }
    return error;
}

Result<void> send_request(int socket, int family) {
    Request request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.filter.sdiag_family = static_cast<std::uint8_t>(family);
    request.filter.sdiag_protocol = IPPROTO_TCP;
    request.filter.idiag_states = 1U << TCP_LISTEN;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = ::sendto(socket, &request, sizeof request, 0,
                                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent < 0) return failure(errno, "cannot ask the kernel for its sockets");
    return {};
}

/// One datagram from the kernel; those of other processes are passed over.
Result<std::span<const std::byte>> receive(int socket, std::span<std::byte> buffer) {
    for (;;) {
        sockaddr_nl sender{};
        socklen_t sender_size = sizeof sender;
        const ssize_t size = ::recvfrom(socket, buffer.data(), buffer.size(), MSG_TRUNC,
                                        reinterpret_cast<sockaddr*>(&sender), &sender_size);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failure(errno, "cannot read the kernel's list of sockets");
        if (sender.nl_pid != 0) continue;
        if (static_cast<std::size_t>(size) > buffer.size())
            return Error{Fault::invalid, "the kernel's list of sockets is cut off"};
        return buffer.first(static_cast<std::size_t>(size));
    }
}

Result<void> list_family(int socket, int family, std::vector<ListeningSocket>& sockets) {
    if (auto sent = send_request(socket, family); !sent) return sent;
    std::vector<std::byte> buffer(datagram_bytes_max);
    for (int count = 0; count < datagrams_max; ++count) {
        const auto datagram = receive(socket, buffer);
        if (!datagram) return datagram.error();
        switch (read_socket_listing(*datagram, sockets)) {
            case ListingStep::done: return {};
            case ListingStep::more: break;
            case ListingStep::failed:
                return Error{Fault::invalid,
                             "the kernel does not list its TCP sockets (is its "
                             "module tcp_diag missing?)"};
        }
    }
    return Error{Fault::invalid, "the kernel's list of sockets has no end"};
}

}  // namespace

Result<std::vector<ListeningSocket>> listening_sockets() {
    const UniqueFd socket(
        ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    if (!socket.valid()) return failure(errno, "cannot open a netlink socket");
    std::vector<ListeningSocket> sockets;
    for (const int family : {AF_INET, AF_INET6}) {
        if (auto listed = list_family(socket.get(), family, sockets); !listed)
            return listed.error();
    }
    return sockets;
}

}  // namespace keyturn
