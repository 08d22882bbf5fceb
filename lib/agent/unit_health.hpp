#pragma once

#include "policy/policy.hpp"
#include "rotation/rotation.hpp"
#include "wire/tunnel_status.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// Describes the service of a unit as one word; see `UnitHealth`. Pure.
[[nodiscard]] std::string health_of(const SampleUnits::Sample& sample);

/// Describes a unit of an idle tunnel: its service, and which token it was started with. Pure.
[[nodiscard]] UnitHealth health_of(const SampleUnits::Sample& sample, const TunnelState& state);

/// Estimates when the open rotation ends if nothing more goes wrong. Empty while it waits for
/// something other than time, and for a compromise and a revert, which take what they take. Pure.
[[nodiscard]] std::optional<WallTime> expected_end(const Rotation& rotation,
                                                   const RolloutPolicy& rollout);

}  // namespace keyturn
