#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The output of `keyturnctl status`: a table of the tunnels; below it, their rotations and
/// problems. With `detail`, and for the only tunnel of a policy, also the units, the token, the
/// checks at Cloudflare, and the last and the next rotation.
[[nodiscard]] std::string status_table(const std::vector<TunnelStatus>& tunnels, WallTime now,
                                       const TerminalStyle& style, bool detail);

}  // namespace keyturn
