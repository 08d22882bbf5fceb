#pragma once

#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The document of `keyturnctl status --json`: {"tunnels": [...]} with every field of every tunnel.
/// Keys are never renamed or left out; later versions may add keys. A value that is unknown or does
/// not apply is null. Times are UTC.
[[nodiscard]] std::string status_json(const std::vector<TunnelStatus>& tunnels);

/// The document of `keyturnctl plan --json`. Times are UTC; missing values are null.
[[nodiscard]] std::string plan_json(const std::vector<TunnelPlan>& plans);

}  // namespace keyturn
