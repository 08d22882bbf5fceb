#pragma once

#include "keyturnctl/exit_code.hpp"
#include "root_command.hpp"

namespace keyturn {

/// Brings all connectors of this host under keyturn. Prints what it finds and does.
[[nodiscard]] ExitCode set_up(const SetupCommand& command);

/// Brings in or takes out units of the policy.
[[nodiscard]] ExitCode adopt(const AdoptCommand& command);

/// Writes a surge unit.
[[nodiscard]] ExitCode write_surge_unit(const SurgeCommand& command);

/// Prints an error in the way of keyturnctl, and returns its exit code.
ExitCode fail(const Error& error);

}  // namespace keyturn
