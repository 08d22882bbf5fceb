// A datagram of the kernel's list of listening sockets.
#include "sockets/socket_listing.hpp"

#include "cloudflared/metrics_servers.hpp"
#include "fuzz/input.hpp"

#include <arpa/inet.h>
#include <array>

using namespace keyturn;

namespace {

bool is_address(const std::string& text) {
    std::array<unsigned char, 16> bytes{};
    return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

void check_servers(const std::vector<TcpSocket>& sockets) {
    const UnitServers servers = servers_of_unit(sockets);
    invariant(sockets.empty() || !servers.reachable.empty() || !servers.elsewhere.empty(),
              "a listener is found");
    for (const SocketAddress& server : servers.reachable) {
        invariant(is_address(server.host), "only addresses are asked");
        invariant(server.host != "0.0.0.0" && server.host != "::", "and one at a time");
        const bool colons = server.host.find(':') != std::string::npos;
        const std::string text =
            (colons ? "[" + server.host + "]" : server.host) + ":" + server.port;
        invariant(read_socket_address(text) == server, "an address is read as it is written");
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    std::vector<TcpSocket> sockets;
    const ListingStep step = read_socket_listing(bytes, sockets);
    invariant(sockets.size() * 88 <= size, "a socket takes its bytes");
    for (const TcpSocket& socket : sockets) {
        invariant(is_address(socket.address), "a socket has an address");
    }
    check_servers(sockets);
    std::vector<TcpSocket> twice = sockets;
    invariant(read_socket_listing(bytes, twice) == step, "the same bytes mean the same");
    invariant(twice.size() == 2 * sockets.size() &&
                  std::equal(sockets.begin(), sockets.end(), twice.begin()),
              "sockets are added to those that are there");
    return 0;
}
