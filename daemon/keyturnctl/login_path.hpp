#pragma once

#include "base/result.hpp"
#include "sockets/socket_address.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace keyturn {

// An operator who has logged in by SSH through a tunnel loses that login when its connector
// restarts. sshd says where a login comes from (SSH_CONNECTION, ssh(1)), and the kernel says which
// unit has the socket there.

/// Returns the unit among `units` through which the login of `process` comes; "" if none does, or
/// if this user may not see it. Looks at the process and at those above it, because sudo removes
/// SSH_CONNECTION.
[[nodiscard]] std::string unit_of_login(pid_t process, const std::vector<std::string>& units);

/// Refuses with `denied` to restart the only way in, unless `detach`. Otherwise warns on stdout.
/// `others_serve`: other connectors of the tunnel stay up, or an extra one starts first.
[[nodiscard]] Result<void> permit_cut(const std::string& unit, const std::string& tunnel,
                                      bool others_serve, bool detach);

/// The two ends of an SSH login, as sshd sees them.
struct SshLogin {
    SocketAddress client;
    SocketAddress server;

    bool operator==(const SshLogin&) const = default;
};

/// Reads the bytes of /proc/PID/environ. Returns nothing without a correct SSH_CONNECTION. Pure.
[[nodiscard]] std::optional<SshLogin> read_ssh_login(std::string_view environment);

}  // namespace keyturn
