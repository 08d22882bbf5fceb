#pragma once

#include "keyturnctl/exit_code.hpp"
#include "root_command.hpp"

namespace keyturn {

/// Looks at the host, and prints what is wrong and how to fix it. Renews the attestations of the
/// units that the operator named.
[[nodiscard]] ExitCode examine_host(const DoctorCommand& command);

}  // namespace keyturn
