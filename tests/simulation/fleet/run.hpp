#pragma once

#include "simulation/fleet/world.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace keyturn::fleet_simulation {

/// What one run was.
struct RunCounts {
    std::uint64_t rotations = 0;   ///< That ended.
    std::uint64_t with_fault = 0;  ///< In runs with at least one fault.
    std::uint64_t writes = 0;      ///< To the shared object.
    Milliseconds simulated{0};
};

/// Runs one fleet through a storm and the quiet after it, in virtual time: what ships of the fleet,
/// the agent and the heart, on several hosts. Returns what was violated; nothing if all ended well.
[[nodiscard]] std::optional<std::string> run_fleet(std::uint64_t seed, Seen& seen,
                                                   RunCounts& counts, const Tell& tell);

}  // namespace keyturn::fleet_simulation
