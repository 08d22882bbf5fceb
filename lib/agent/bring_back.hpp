#pragma once

#include "agent/seen_units.hpp"
#include "policy/policy.hpp"
#include "rotation/preflight.hpp"
#include "rotation/record.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace keyturn {

/// Units on another token than the delivered one are brought onto it, although nobody has changed
/// anything just now: a state that was lost or restored has left them so, or a roll-out that was
/// told to restart nothing.

/// The trigger of the rotation that does that.
inline constexpr std::string_view trigger_for_outdated = "a unit on another token";

/// Whether they may be restarted now. `drift: restart` decides, except for a unit without a
/// connection: nobody else restarts that one. `units` is how many the tunnel has. Pure.
[[nodiscard]] bool may_bring_back(const TunnelPolicy& policy, std::size_t units,
                                  const std::vector<UnitStart>& outdated, const SeenUnits& seen,
                                  BootTime now, WallTime wall_now);

/// A take-over that has delivered already: what is known to run on the token counts as verified.
/// Without a batch where none of the units runs. Pure.
[[nodiscard]] RotationRecord plan_for_outdated(const TunnelPolicy& policy, const TunnelState& state,
                                               const PreflightFacts& facts,
                                               const UnitStart& outdated, WallTime wall_now);

}  // namespace keyturn
