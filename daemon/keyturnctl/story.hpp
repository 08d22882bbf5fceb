#pragma once

#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// What happened to a tunnel between two statuses: one line for each event, with the time in front.
[[nodiscard]] std::vector<std::string> story_of(const TunnelStatus& before,
                                                const TunnelStatus& after, WallTime now);

/// "03:00:12  text" "still in soak after batch 1 of 2, 4m left": for a reader who has seen nothing
/// new for a long time.
[[nodiscard]] std::string standing_text(const TunnelStatus& tunnel, WallTime now);

[[nodiscard]] std::string story_line(WallTime now, std::string_view text);

}  // namespace keyturn
