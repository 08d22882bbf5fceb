#pragma once

#include "rotation_view.hpp"
#include "wire/tunnel_plan.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// `keyturnctl plan`: for each tunnel what is restarted in which steps, when and why then, and
/// below that a line of time for all of them.
[[nodiscard]] std::string plan_view(const std::vector<TunnelPlan>& plans, WallTime now,
                                    const TerminalStyle& style);

}  // namespace keyturn
