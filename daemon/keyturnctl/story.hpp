#pragma once

#include "control/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// What happened to a tunnel between two looks at it, a line each with the time in front.
[[nodiscard]] std::vector<std::string> story_of(const TunnelStatus& before,
                                                const TunnelStatus& after, WallTime now);

/// "03:00:12  text"
[[nodiscard]] std::string story_line(WallTime now, std::string_view text);

}  // namespace keyturn
