#include "doctor/probe.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "clock/clock.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace keyturn {

namespace {

/// QUIC servers ignore a first packet that is shorter (RFC 9000, section 14.1).
constexpr std::size_t first_packet_size = 1200;
constexpr unsigned char long_header = 0xC0;
/// A version that no server may support (RFC 9000, section 15: 0x?a?a?a?a).
constexpr std::array<char, 4> reserved_version{0x1a, 0x2a, 0x3a, 0x4a};
constexpr char connection_id_size = 8;

UniqueFd opened(Probe& probe) {
    const bool tcp = probe.transport == Transport::tcp;
    const int family = probe.address.is_v4() ? AF_INET : AF_INET6;
    UniqueFd fd(
        ::socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    // An endpoint has the same layout for both protocols.
    const boost::asio::ip::tcp::endpoint peer(probe.address, probe.port);
    if (!fd.valid() ||
        (::connect(fd.get(), peer.data(), static_cast<socklen_t>(peer.size())) != 0 &&
         errno != EINPROGRESS)) {
        probe.problem = errno_text(errno);
        return {};
    }
    if (tcp) return fd;
    const std::string packet = version_question();
    if (::send(fd.get(), packet.data(), packet.size(), 0) < 0) {
        probe.problem = errno_text(errno);
        return {};
    }
    return fd;
}

/// Looks at a socket on which something happened.
void finish(Probe& probe, UniqueFd& fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error == 0 && probe.transport == Transport::udp) {
        std::array<char, 1> byte{};
        if (::recv(fd.get(), byte.data(), byte.size(), 0) < 0) error = errno;
    }
    probe.answered = error == 0;
    if (error != 0) probe.problem = errno_text(error);
    fd = UniqueFd();
}

}  // namespace

std::string version_question() {
    std::string packet(1, static_cast<char>(long_header));
    packet.append(reserved_version.data(), reserved_version.size());
    packet += connection_id_size;
    packet.append("keyturn1");  // Any id of the receiver ...
    packet += connection_id_size;
    packet.append("keyturn2");  // ... and of the sender.
    packet.resize(first_packet_size, '\0');
    return packet;
}

void try_all(const Clock& clock, std::vector<Probe>& probes, std::chrono::milliseconds patience) {
    const BootTime deadline = clock.boot_now() + patience;
    std::vector<UniqueFd> sockets;
    for (Probe& probe : probes) sockets.push_back(opened(probe));
    for (;;) {
        std::vector<pollfd> waits;
        std::vector<std::size_t> indices;
        for (std::size_t i = 0; i < probes.size(); ++i) {
            if (!sockets[i].valid()) continue;
            const short events = probes[i].transport == Transport::tcp ? POLLOUT : POLLIN;
            waits.push_back({sockets[i].get(), events, 0});
            indices.push_back(i);
        }
        const auto left = deadline - clock.boot_now();
        if (waits.empty() || left.count() <= 0) break;
        if (::poll(waits.data(), waits.size(), static_cast<int>(left.count())) < 0) continue;
        for (std::size_t i = 0; i < waits.size(); ++i)
            if (waits[i].revents != 0) finish(probes[indices[i]], sockets[indices[i]]);
    }
    for (std::size_t i = 0; i < probes.size(); ++i)
        if (sockets[i].valid()) probes[i].problem = "no answer";
}

}  // namespace keyturn
