#pragma once

#include "rotation_view.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The output of `keyturnctl status`: a table of the tunnels; below it, their rotations and
/// problems. With `detail`, also the identifiers, and the units of idle tunnels.
[[nodiscard]] std::string status_table(const std::vector<TunnelStatus>& tunnels, WallTime now,
                                       const TerminalStyle& style, bool detail);

}  // namespace keyturn
