#pragma once

#include "doctor/facts.hpp"
#include "keyturnctl/exit_code.hpp"
#include "root_command.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// What keyturnd may do to units.
struct RightsSeen {
    std::vector<RightSeen> rights;
    std::string polkit_problem;  ///< Why polkit gave no answer; empty if it did.
};

/// Asks systemd and polkit what keyturnd may do to these units. Root may do everything, so a
/// process of keyturnd's user asks. Nothing is done to a unit.
[[nodiscard]] RightsSeen look_at_rights(const std::vector<std::string>& units);

/// What that process does: prints "UNIT VERB ANSWER" lines.
[[nodiscard]] ExitCode ask_polkit(const AskPolkitCommand& command);

}  // namespace keyturn
