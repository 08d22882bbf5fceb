#pragma once

#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Returns the status line of `systemctl status keyturnd`: what keyturnd does now, or else what it
/// does next. Holds come first, because they need a person. At the end come the number of findings
/// and the first of them. Pure.
[[nodiscard]] std::string service_status(const std::vector<TunnelStatus>& tunnels);

}  // namespace keyturn
