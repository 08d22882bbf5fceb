#pragma once

#include "base/result.hpp"
#include "cloudflared/socket_listing.hpp"

#include <vector>

namespace keyturn {

/// All TCP sockets of this network namespace that listen, v4 first. Asks the kernel and does not
/// wait: a dump is answered from within the system calls. Needs AF_NETLINK, and no privilege.
[[nodiscard]] Result<std::vector<ListeningSocket>> listening_sockets();

}  // namespace keyturn
