#pragma once

#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// `keyturnctl status --json`: {"tunnels": [...]}, every field of every tunnel. Keys are never
/// renamed or left out; new ones may come. What is unknown or does not apply is null; times are
/// UTC.
[[nodiscard]] std::string status_json(const std::vector<TunnelStatus>& tunnels);

/// The document of `plan --json`. Times are UTC; what is not there is null.
[[nodiscard]] std::string plan_json(const std::vector<TunnelPlan>& plans);

}  // namespace keyturn
