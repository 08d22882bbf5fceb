#pragma once

#include "keyturnd/command_line.hpp"
#include "keyturnd/fleets.hpp"
#include "policy/policy_file.hpp"

#include <optional>

namespace keyturn {

/// Builds every object once, in the order in which they need each other, and runs until a signal.
/// Returns the exit code; nothing if a reload has brought a policy that needs fleets and
/// `make_fleets` is empty: keyturnd-fleet has to continue. `policy` needs none in that case.
[[nodiscard]] std::optional<int> run_application(const CommandLine& options, Policy policy,
                                                 const MakeFleets& make_fleets);

}  // namespace keyturn
