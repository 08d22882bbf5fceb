#pragma once

#include "keyturnd/command_line.hpp"
#include "policy/policy.hpp"

namespace keyturn {

/// Prints the unit that helps out while the units of a tunnel are restarted, made from the first of
/// those, or writes it into a file; returns the exit code. Has to be able to read their files, so
/// it is run as root.
[[nodiscard]] int print_surge_unit(const CommandLine& options, const Policy& policy);

}  // namespace keyturn
