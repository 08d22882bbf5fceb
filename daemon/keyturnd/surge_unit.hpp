#pragma once

#include "keyturnd/command_line.hpp"
#include "policy/policy.hpp"

namespace keyturn {

/// Makes the surge unit of a tunnel from the tunnel's first unit: the extra connector that serves
/// while keyturnd restarts the units. Prints it or writes it into a file. Returns the exit code.
/// Must read the unit's files, so it needs root.
[[nodiscard]] int print_surge_unit(const CommandLine& options, const Policy& policy);

}  // namespace keyturn
