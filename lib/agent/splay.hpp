#pragma once

#include <string_view>

namespace keyturn {

/// Returns the place of a host's tunnel in the splay: at least 0 and less than 1. It is always the
/// same for one tunnel and host, and evenly distributed over tunnels and hosts.
[[nodiscard]] double splay_share(std::string_view host_id, std::string_view tunnel);

}  // namespace keyturn
