#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_plan.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The output of `keyturnctl plan`: for each tunnel its units, batches, starts and the causes of
/// the starts; below, a time line of all tunnels.
[[nodiscard]] std::string plan_view(const std::vector<TunnelPlan>& plans, WallTime now,
                                    const TerminalStyle& style);

}  // namespace keyturn
