#include "sockets/socket_owner.hpp"

#include "base/unique_fd.hpp"
#include "sockets/socket_request.hpp"

#include <array>
#include <cerrno>
#include <linux/netlink.h>
#include <sys/socket.h>

namespace keyturn {

namespace {

/// The kernel's dumps use datagrams of at most this size.
constexpr std::size_t datagram_bytes_max = 32 * 1024;
constexpr std::size_t datagram_of_one_bytes_max = 1024;
/// The kernel uses smaller datagrams when its memory is fragmented: 28 sockets fit into 4 KiB.
constexpr int datagrams_max = 128;

Error failure(int errno_value, const char* what) {
    Error error = errno_error(errno_value, what);
    if (error.fault == Fault::storage) error.fault = Fault::unreachable;
    if (errno_value == EAFNOSUPPORT || errno_value == EPERM || errno_value == EACCES) {
        error.fault = Fault::denied;
        error.text += " (does RestrictAddressFamilies= in keyturnd.service include AF_NETLINK?)";
    }
    return error;
}

Error does_not_tell() {
    return Error{Fault::invalid,
                 "the kernel does not say which unit a listening socket belongs to (this needs "
                 "Linux 5.8 or newer with the module tcp_diag)"};
}

Result<UniqueFd> open_socket() {
    UniqueFd socket(
        ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
    if (!socket.valid()) return failure(errno, "cannot open a netlink socket");
    return socket;
}

Result<void> send_request(int socket, std::span<const std::byte> request) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = ::sendto(socket, request.data(), request.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent < 0) return failure(errno, "cannot ask the kernel for its sockets");
    return {};
}

/// Receives one datagram from the kernel and ignores datagrams of other processes.
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

/// Sends a request and reads the answer. Cuts off an overlong list, because all its sockets belong
/// to the same units.
Result<ListingStep> exchange(int socket, std::span<const std::byte> request,
                             std::vector<TcpSocket>& sockets) {
    if (auto sent = send_request(socket, request); !sent) return sent.error();
    std::vector<std::byte> buffer(datagram_bytes_max);
    for (int count = 0; count < datagrams_max; ++count) {
        const auto datagram = receive(socket, buffer);
        if (!datagram) return datagram.error();
        const ListingStep step = read_socket_listing(*datagram, sockets);
        if (step == ListingStep::failed)
            return Error{Fault::invalid, "the kernel's list of sockets cannot be read"};
        if (step != ListingStep::more) return step;
        if (sockets.size() >= sockets_of_groups_max) break;
    }
    return ListingStep::more;
}

/// The answer is a single socket, without an end marker.
Result<std::optional<TcpSocket>> ask_for_one(const UniqueFd& socket,
                                             const std::optional<std::vector<std::byte>>& request) {
    if (!request) return std::optional<TcpSocket>();
    if (auto sent = send_request(socket.get(), *request); !sent) return sent.error();
    std::array<std::byte, datagram_of_one_bytes_max> buffer{};
    const auto datagram = receive(socket.get(), buffer);
    if (!datagram) return datagram.error();
    std::vector<TcpSocket> sockets;
    static_cast<void>(read_socket_listing(*datagram, sockets));
    if (sockets.empty()) return std::optional<TcpSocket>();
    return std::optional<TcpSocket>(std::move(sockets.front()));
}

}  // namespace

Result<std::vector<TcpSocket>> sockets_of_groups(std::span<const std::uint64_t> control_groups) {
    std::vector<TcpSocket> sockets;
    for (const int family : {AF_INET, AF_INET6}) {
        // A new socket each time: a list that was cut off leaves datagrams behind in its socket.
        const Result<UniqueFd> socket = open_socket();
        if (!socket) return socket.error();
        const auto ended =
            exchange(socket->get(), request_of_groups(family, control_groups), sockets);
        if (!ended) return ended.error();
        if (*ended == ListingStep::refused || *ended == ListingStep::absent) return does_not_tell();
        if (*ended == ListingStep::more) break;
    }
    return sockets;
}

Result<std::optional<TcpSocket>> Listeners::at(const SocketAddress& server) {
    if (!socket_.valid()) {
        Result<UniqueFd> opened = open_socket();
        if (!opened) return opened.error();
        socket_ = std::move(*opened);
    }
    auto listener = ask_for_one(socket_, request_of_listener(server));
    // A late answer must not be taken for that to the next question.
    if (!listener) socket_ = UniqueFd();
    return listener;
}

Result<std::optional<TcpSocket>> listener_at(const SocketAddress& server) {
    return Listeners().at(server);
}

Result<std::optional<TcpSocket>> connection_between(const SocketAddress& local,
                                                    const SocketAddress& peer) {
    const Result<UniqueFd> socket = open_socket();
    if (!socket) return socket.error();
    return ask_for_one(*socket, request_of_connection(local, peer));
}

}  // namespace keyturn
