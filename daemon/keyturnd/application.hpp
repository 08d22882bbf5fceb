#pragma once

#include "keyturnd/command_line.hpp"
#include "policy/policy_file.hpp"

namespace keyturn {

/// Builds every object once, in the order in which they need each other, and runs until a signal.
/// Returns the exit code.
[[nodiscard]] int run_application(const CommandLine& options, Policy policy);

}  // namespace keyturn
