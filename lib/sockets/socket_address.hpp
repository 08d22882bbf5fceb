#pragma once

#include <string>

namespace keyturn {

/// One end of a TCP connection, as text.
struct SocketAddress {
    std::string host;  ///< "127.0.0.1", "::1"; of a server to ask also a name.
    std::string port;

    bool operator==(const SocketAddress&) const = default;
};

}  // namespace keyturn
