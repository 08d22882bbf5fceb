#include "cloudflared/metrics_servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>

namespace keyturn {

namespace {

/// The addresses at which a socket can be asked. A socket on "::" is asked over IPv6 first, because
/// it may accept only that. But the host may have no ::1, although sockets for both families still
/// show "::". A socket on a link-local address cannot be asked without the name of its link.
std::vector<std::string> hosts_of(const std::string& address) {
    constexpr std::string_view mapped = "::ffff:";
    if (address == "::") return {"::1", "127.0.0.1"};
    if (address.starts_with("fe80:")) return {};
    const bool is_mapped = address.starts_with(mapped) && address.find('.') != std::string::npos;
    const std::string host = is_mapped ? address.substr(mapped.size()) : address;
    return {host == "0.0.0.0" ? "127.0.0.1" : host};
}

}  // namespace

UnitServers servers_of_unit(std::vector<TcpSocket> sockets) {
    std::sort(sockets.begin(), sockets.end(), [](const auto& left, const auto& right) {
        return std::tie(left.port, left.address) < std::tie(right.port, right.address);
    });
    UnitServers servers;
    for (const TcpSocket& socket : sockets) {
        const std::vector<std::string> hosts = hosts_of(socket.address);
        if (hosts.empty())
            servers.elsewhere.push_back(fmt::format("[{}]:{}", socket.address, socket.port));
        for (const std::string& host : hosts) {
            const SocketAddress server{host, std::to_string(socket.port)};
            const bool known =
                std::ranges::find(servers.reachable, server) != servers.reachable.end();
            if (!known) servers.reachable.push_back(server);
        }
    }
    return servers;
}

std::optional<SocketAddress> read_socket_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return SocketAddress{host, text.substr(colon + 1)};
}

}  // namespace keyturn
