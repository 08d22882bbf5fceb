#include "cloudflared/metrics_servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>

namespace keyturn {

namespace {

/// The loopback addresses that reach a socket. One on "::" is asked over IPv6 first, because it may
/// be for that alone; but the host may have no ::1, where sockets for both families still are "::".
std::vector<std::string> loopback_hosts(const std::string& address) {
    constexpr std::string_view mapped = "::ffff:";
    if (address == "0.0.0.0") return {"127.0.0.1"};
    if (address == "::") return {"::1", "127.0.0.1"};
    if (address == "::1" || address.starts_with("127.")) return {address};
    if (address.starts_with("::ffff:127.")) return {address.substr(mapped.size())};
    return {};
}

}  // namespace

GroupServers servers_of_group(std::vector<ListeningSocket> sockets, std::uint64_t control_group) {
    std::sort(sockets.begin(), sockets.end(), [](const auto& left, const auto& right) {
        return std::tie(left.port, left.address) < std::tie(right.port, right.address);
    });
    GroupServers servers;
    for (const ListeningSocket& socket : sockets) {
        if (!socket.control_group) continue;
        servers.kernel_tells = true;
        if (*socket.control_group != control_group) continue;
        const std::vector<std::string> hosts = loopback_hosts(socket.address);
        if (hosts.empty())
            servers.elsewhere.push_back(fmt::format("{}:{}", socket.address, socket.port));
        for (const std::string& host : hosts)
            servers.reachable.push_back(ServerAddress{host, std::to_string(socket.port)});
    }
    return servers;
}

std::optional<ServerAddress> read_server_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return ServerAddress{host, text.substr(colon + 1)};
}

}  // namespace keyturn
