#pragma once

#include "rotation_view.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// `keyturnctl status`: a table of the tunnels, and below it what is going on or is wrong. With
/// `detail` also the identifiers and the units of tunnels at rest.
[[nodiscard]] std::string status_table(const std::vector<TunnelStatus>& tunnels, WallTime now,
                                       const TerminalStyle& style, bool detail);

}  // namespace keyturn
