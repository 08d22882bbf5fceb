#pragma once

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace keyturn {

class Clock;

enum class Transport { tcp, udp };

/// One address that is tried.
struct Probe {
    boost::asio::ip::address address;
    std::uint16_t port = 0;
    Transport transport = Transport::tcp;
    bool answered = false;  ///< The result.
    std::string problem;    ///< Why it did not answer.
};

/// Tries all of them at once, within `patience`. A TCP port answers by accepting a connection,
/// which is closed at once. A UDP port is sent the first packet of a QUIC connection with a version
/// that does not exist: every QUIC server has to answer with the versions that it knows (RFC 9000,
/// section 6), and keeps nothing of it.
void try_all(const Clock& clock, std::vector<Probe>& probes, std::chrono::milliseconds patience);

/// The UDP packet. Pure.
[[nodiscard]] std::string version_question();

}  // namespace keyturn
