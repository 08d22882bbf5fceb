#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// What a person should know about a tunnel without asking: why it is held or waits, how its last
/// rotation ended if that was not well, findings and notes. Empty if all is well.
[[nodiscard]] std::vector<std::string> attention_lines(const TunnelStatus& tunnel,
                                                       const TerminalStyle& style);

/// The tunnel, its token, the last and the next rotation with their reasons, and the checks at
/// Cloudflare.
[[nodiscard]] std::vector<std::string> fact_lines(const TunnelStatus& tunnel, WallTime now,
                                                  const TerminalStyle& style);

/// A tunnel without an open rotation: its facts, its units, and what needs attention.
[[nodiscard]] std::vector<std::string> idle_lines(const TunnelStatus& tunnel, WallTime now,
                                                  const TerminalStyle& style);

/// The same in one line: "idle, 2/2 units serve, done 28d ago, next in 2d".
[[nodiscard]] std::string idle_summary(const TunnelStatus& tunnel, WallTime now);

}  // namespace keyturn
