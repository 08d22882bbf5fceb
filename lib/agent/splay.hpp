#pragma once

#include <string_view>

namespace keyturn {

/// The place of a tunnel of a host in a splay: at least 0 and less than 1, always the same, and
/// spread evenly over tunnels and hosts.
[[nodiscard]] double splay_share(std::string_view host_id, std::string_view tunnel);

}  // namespace keyturn
