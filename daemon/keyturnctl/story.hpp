#pragma once

#include "wire/tunnel_status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What happened in a rotation between two statuses: one line for each event. If `before` shows
/// another rotation or none, this is everything that has happened to the open one.
[[nodiscard]] std::vector<std::string> story_of(const TunnelStatus& before,
                                                const TunnelStatus& after);

/// What happened besides rotations: findings that began or ended, a pause, a hold without a
/// rotation.
[[nodiscard]] std::vector<std::string> news_between(const TunnelStatus& before,
                                                    const TunnelStatus& after);

/// "rotation (laptop lost), started 4m ago": for a reader who has not asked for it.
[[nodiscard]] std::string opening_text(const TunnelStatus& tunnel, WallTime now);

/// "still in soak after batch 1 of 2, 4m left": for a reader who has seen nothing new for a long
/// time.
[[nodiscard]] std::string standing_text(const TunnelStatus& tunnel, WallTime now);

/// "03:00:12  text"
[[nodiscard]] std::string story_line(WallTime now, std::string_view text);

}  // namespace keyturn
