#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// "[##########----------] 50% 5m left", at most `columns` wide.
[[nodiscard]] std::string progress_bar(WallTime started, WallTime ends, WallTime now,
                                       std::size_t columns);

/// The current wait: a bar if it lasts to its end, "soak [####------] 40% 6m left"; a sentence if
/// it is a deadline. Then the expected end of the rotation. Empty if nothing waits.
[[nodiscard]] std::vector<std::string> wait_lines(const TunnelStatus& tunnel, WallTime now,
                                                  std::size_t columns);

/// An open rotation as a tree: the tunnel, its batches, their units. Then what keyturnd waits for,
/// or what a person has to decide. With `stale`, keyturnd is gone, so nothing moves.
[[nodiscard]] std::vector<std::string> rotation_lines(const TunnelStatus& tunnel, WallTime now,
                                                      const TerminalStyle& style,
                                                      bool stale = false);

/// The commands that end a hold, each on one line.
[[nodiscard]] std::vector<std::string> remedy_lines(const TunnelStatus& tunnel, std::size_t columns,
                                                    std::size_t indent);

/// Why a tunnel waits or is held, and what to do, wrapped. Empty in the other states.
[[nodiscard]] std::vector<std::string> trouble_lines(const TunnelStatus& tunnel,
                                                     const TerminalStyle& style);

}  // namespace keyturn
