#pragma once

#include "proof.hpp"

namespace keyturn {

/// Brings the units in, whether keyturnd already knows them or has just been told of them: writes
/// their files, and lets keyturnd restart them one by one and check that they serve. Restores the
/// files if that fails. A unit starts at every moment, with the old configuration or the new one,
/// and another run completes what was interrupted.
[[nodiscard]] Result<ExitCode> bring_in(Foreground& host, const TunnelToBringIn& tunnel,
                                        const Manner& manner);

/// Lets systemd read the unit files again.
[[nodiscard]] Result<void> daemon_reload();

}  // namespace keyturn
