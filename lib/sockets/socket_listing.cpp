#include "sockets/socket_listing.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

namespace keyturn {

namespace {

using Bytes = std::span<const std::byte>;

/// Copies a structure off the front of `bytes`, which may be unaligned.
template <class T>
std::optional<T> read_front(Bytes bytes) {
    if (bytes.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

/// The bytes after the first `size` bytes and the padding to netlink's alignment of four.
Bytes after(Bytes bytes, std::size_t size) {
    const std::size_t aligned = (size + 3) / 4 * 4;
    return aligned >= bytes.size() ? Bytes{} : bytes.subspan(aligned);
}

std::optional<std::uint64_t> find_control_group(Bytes attributes) {
    while (const auto header = read_front<rtattr>(attributes)) {
        if (header->rta_len < sizeof(rtattr) || header->rta_len > attributes.size()) break;
        const Bytes value = attributes.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr));
        if (header->rta_type == INET_DIAG_CGROUP_ID) return read_front<std::uint64_t>(value);
        attributes = after(attributes, header->rta_len);
    }
    return std::nullopt;
}

std::optional<TcpSocket> read_socket(Bytes payload) {
    const auto message = read_front<inet_diag_msg>(payload);
    if (!message) return std::nullopt;
    if (message->idiag_family != AF_INET && message->idiag_family != AF_INET6) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::inet_ntop(message->idiag_family, message->id.idiag_src, text.data(), text.size()) ==
        nullptr)
        return std::nullopt;
    TcpSocket socket;
    socket.address = text.data();
    socket.port = ntohs(message->id.idiag_sport);
    socket.owner = message->idiag_uid;
    socket.control_group = find_control_group(after(payload, sizeof(inet_diag_msg)));
    return socket;
}

ListingStep step_of_error(Bytes payload) {
    const auto error = read_front<nlmsgerr>(payload);
    if (!error) return ListingStep::failed;
    return error->error == -ENOENT ? ListingStep::absent : ListingStep::refused;
}

}  // namespace

ListingStep read_socket_listing(Bytes datagram, std::vector<TcpSocket>& sockets) {
    while (!datagram.empty()) {
        const auto header = read_front<nlmsghdr>(datagram);
        if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size())
            return ListingStep::failed;
        if (header->nlmsg_type == NLMSG_DONE) return ListingStep::done;
        if (header->nlmsg_type == NLMSG_ERROR)
            return step_of_error(datagram.subspan(sizeof(nlmsghdr)));
        if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
            const std::size_t size = header->nlmsg_len - sizeof(nlmsghdr);
            auto socket = read_socket(datagram.subspan(sizeof(nlmsghdr), size));
            if (!socket) return ListingStep::failed;
            sockets.push_back(std::move(*socket));
        }
        datagram = after(datagram, header->nlmsg_len);
    }
    return ListingStep::more;
}

}  // namespace keyturn
