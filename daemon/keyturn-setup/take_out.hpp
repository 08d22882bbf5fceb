#pragma once

#include "bring_in.hpp"

namespace keyturn {

/// Takes units out again: their files are as before, but for the token, which is the current one.
/// It does not go where other users can read it, unless the command says so: then it goes into a
/// file below /etc/cloudflared, and a drop-in names that file. keyturnd restarts the units one by
/// one and checks that they serve. Then they leave the policy. Without a tunnel, completes an undo
/// that was interrupted after that.
[[nodiscard]] Result<ExitCode> take_out(HostPolicy& policy,
                                        const std::vector<TunnelToBringIn>& tunnels,
                                        const AdoptCommand& command);

}  // namespace keyturn
