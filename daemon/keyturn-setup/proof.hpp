#pragma once

#include "changes.hpp"
#include "keyturnctl/exit_code.hpp"
#include "model/rotation_request.hpp"
#include "root_command.hpp"

#include <string>

namespace keyturn {

/// Waits until keyturnd manages the tunnel and has its token in the token file.
[[nodiscard]] Result<void> wait_for_keyturnd(const std::string& tunnel);

/// Lets keyturnd restart the units one by one, because they have just been moved onto its token
/// file
/// (`adopt`) or off it (`release`), and shows the progress until they serve, or do not. If such a
/// move is held already, it is retried, and one in the other direction is reverted first.
[[nodiscard]] Result<ExitCode> prove(RotationKind kind, const TunnelToBringIn& tunnel,
                                     const Manner& manner);

/// Ends a proof that is held: the units that keyturnd has restarted run with the files of before
/// again.
[[nodiscard]] Result<ExitCode> take_back(const std::string& tunnel);

/// Shows what keyturnd does until it ends, if a run that was interrupted has left it moving units.
/// A held move stays. `interrupted` after Ctrl-C.
[[nodiscard]] Result<ExitCode> wait_for_moves();

}  // namespace keyturn
