#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The units of an open rotation below their batches; the unit of a hold is marked. Units that take
/// no part, and the extra connector, come last.
[[nodiscard]] std::vector<std::string> batch_lines(const TunnelStatus& tunnel,
                                                   const TerminalStyle& style);

/// The units of an idle tunnel: their health, connections and tokens.
[[nodiscard]] std::vector<std::string> idle_unit_lines(const TunnelStatus& tunnel,
                                                       const TerminalStyle& style);

}  // namespace keyturn
