#pragma once

#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The one line of `systemctl status keyturnd`: what it does now, else what is next. Holds come
/// first, because they want a person; findings are counted at the end, and the first is named.
/// Pure.
[[nodiscard]] std::string service_status(const std::vector<TunnelStatus>& tunnels);

}  // namespace keyturn
