#pragma once

#include "base/result.hpp"
#include "cloudflared/token_source.hpp"
#include "token/token.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace keyturn {

/// The token that a running connector was started with.
struct ProcessToken {
    TokenOrigin origin = TokenOrigin::not_cloudflared;
    std::string path;  ///< The file it was read from, as the process sees it; empty if none.
    /// Nothing if its file has changed since or cannot be read. A file may have changed since the
    /// process read it.
    std::optional<TunnelToken> token;
};

/// Reads the command line, the environment and the files of a process, in cloudflared's order of
/// precedence (runCommand in cmd/cloudflared/tunnel/subcommands.go). Needs root. Returns nothing if
/// the process is not `cloudflared tunnel run`, or has ended.
[[nodiscard]] std::optional<ProcessToken> token_of_process(pid_t process);

/// The processes in the control group of this process, which is one of them. A unit's connector may
/// be a child of the program that the unit starts.
[[nodiscard]] std::vector<pid_t> processes_beside(pid_t process);

/// The connectors of this host that run outside of the given control groups: under `systemd
/// --user`, in a container, from a terminal. Each as its control group, such as
/// "/user.slice/user-1000.slice/user@1000.service/app.slice/tunnel.service". A given group with a
/// slash at its end stands for those below it.
[[nodiscard]] std::vector<std::string> connectors_elsewhere(
    const std::vector<std::string>& control_groups);

/// The control group of a process; empty if the process has ended.
[[nodiscard]] std::string control_group_of(pid_t process);

}  // namespace keyturn
