#pragma once

#include "agent/seen_units.hpp"
#include "policy/policy.hpp"
#include "rotation/preflight.hpp"
#include "rotation/record.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace keyturn {

/// Some units may run on an older token although nobody has just changed it: the recorded state was
/// lost or restored from a backup, or a roll-out was told to restart nothing. A rotation without a
/// new secret restarts them, so that they use the delivered token.

/// The trigger of that rotation.
inline constexpr std::string_view trigger_for_outdated = "a unit on another token";

/// Checks whether keyturnd may restart these units now. `drift: restart` decides, except for a unit
/// without a connection, which nothing else would restart. `units` is how many units the tunnel
/// has. Pure.
[[nodiscard]] bool may_bring_back(const TunnelPolicy& policy, std::size_t units,
                                  const std::vector<UnitStart>& outdated, const SeenUnits& seen,
                                  BootTime now, WallTime wall_now);

/// Plans a take-over whose token is already delivered. A unit that is known to run on that token
/// counts as verified. The plan has no batch if none of the units runs. Pure.
[[nodiscard]] RotationRecord plan_for_outdated(const TunnelPolicy& policy, const TunnelState& state,
                                               const PreflightFacts& facts,
                                               const UnitStart& outdated, WallTime wall_now);

}  // namespace keyturn
