#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace keyturn {

/// The processes through which a session of this process comes: an operator who has logged in by
/// SSH through a tunnel loses that session when its connector restarts. Returns those of
/// `connectors` that hold the other end of the connection of an sshd above this process. Needs
/// root.
[[nodiscard]] std::vector<pid_t> connectors_of_session(pid_t process,
                                                       const std::vector<pid_t>& connectors);

/// One line of /proc/net/tcp or tcp6.
struct TcpConnection {
    std::string local;  ///< "0100007F:0016", as the kernel writes it.
    std::string remote;
    std::string inode;
};

/// Reads /proc/net/tcp or tcp6: the established connections. Pure.
[[nodiscard]] std::vector<TcpConnection> read_tcp_connections(std::string_view text);

}  // namespace keyturn
