#include "sockets/socket_request.hpp"

#include "base/invariant.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace keyturn {

namespace {

/// The size of a condition in the kernel's filter language and the group's number after it.
constexpr std::size_t condition_size = sizeof(inet_diag_bc_op) + sizeof(std::uint64_t);
constexpr std::size_t jump_size = sizeof(inet_diag_bc_op);

struct Request {
    nlmsghdr header;
    inet_diag_req_v2 what;
};

template <class T>
void append(std::vector<std::byte>& bytes, const T& value) {
    const auto* const begin = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof value);
}

void append_operation(std::vector<std::byte>& bytes, std::uint8_t code, std::size_t yes,
                      std::size_t no) {
    append(bytes,
           inet_diag_bc_op{code, static_cast<std::uint8_t>(yes), static_cast<std::uint16_t>(no)});
}

/// "The first group, or the second, or ...". Each operation continues `yes` or `no` bytes further
/// on. Reaching the exact end lists the socket; four bytes past the end rejects it. A jump always
/// takes its `no`.
std::vector<std::byte> filter_of(std::span<const std::uint64_t> control_groups) {
    std::vector<std::byte> filter;
    std::size_t left = control_groups.size() * (condition_size + jump_size) - jump_size;
    for (const std::uint64_t group : control_groups) {
        append_operation(filter, INET_DIAG_BC_CGROUP_COND, condition_size,
                         condition_size + jump_size);
        append(filter, group);
        left -= condition_size;
        if (left == 0) break;
        append_operation(filter, INET_DIAG_BC_JMP, jump_size, left);
        left -= jump_size;
    }
    return filter;
}

Request request_for(int family, std::uint16_t flags) {
    Request request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    request.what.sdiag_family = static_cast<std::uint8_t>(family);
    request.what.sdiag_protocol = IPPROTO_TCP;
    request.what.idiag_states = 1U << TCP_LISTEN;
    return request;
}

int family_of(const SocketAddress& address) {
    return address.host.find(':') == std::string::npos ? AF_INET : AF_INET6;
}

/// Returns false if the text is not an address and a port.
bool read_end(const SocketAddress& from, __be32* address, __be16& port) {
    std::uint16_t number = 0;
    const char* const end = from.port.data() + from.port.size();
    const auto [stop, error] = std::from_chars(from.port.data(), end, number);
    port = htons(number);
    return error == std::errc() && stop == end &&
           ::inet_pton(family_of(from), from.host.c_str(), address) == 1;
}

/// A request for one socket, without the ends of its connection.
Request request_for_one(int family) {
    Request request = request_for(family, 0);
    request.what.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    request.what.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return request;
}

std::vector<std::byte> bytes_of(const Request& request) {
    std::vector<std::byte> bytes;
    append(bytes, request);
    return bytes;
}

}  // namespace

std::vector<std::byte> request_of_groups(int family,
                                         std::span<const std::uint64_t> control_groups) {
    invariant(!control_groups.empty() && control_groups.size() <= control_groups_max,
              "a filter has at least one group and at most the maximum");
    const std::vector<std::byte> filter = filter_of(control_groups);
    rtattr attribute{};
    attribute.rta_type = INET_DIAG_REQ_BYTECODE;
    attribute.rta_len = static_cast<std::uint16_t>(sizeof attribute + filter.size());
    Request request = request_for(family, NLM_F_DUMP);
    request.header.nlmsg_len += attribute.rta_len;
    std::vector<std::byte> bytes;
    append(bytes, request);
    append(bytes, attribute);
    bytes.insert(bytes.end(), filter.begin(), filter.end());
    return bytes;
}

std::optional<std::vector<std::byte>> request_of_listener(const SocketAddress& server) {
    Request request = request_for_one(family_of(server));
    inet_diag_sockid& id = request.what.id;
    if (!read_end(server, id.idiag_src, id.idiag_sport)) return std::nullopt;
    return bytes_of(request);
}

std::optional<std::vector<std::byte>> request_of_connection(const SocketAddress& local,
                                                            const SocketAddress& peer) {
    if (family_of(local) != family_of(peer)) return std::nullopt;
    Request request = request_for_one(family_of(local));
    inet_diag_sockid& id = request.what.id;
    if (!read_end(local, id.idiag_src, id.idiag_sport)) return std::nullopt;
    if (!read_end(peer, id.idiag_dst, id.idiag_dport)) return std::nullopt;
    return bytes_of(request);
}

}  // namespace keyturn
