#pragma once

#include "proof.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// Brings the units in, whether keyturnd already knows them or has just been told of them: writes
/// their files, and lets keyturnd restart them one by one and check that they serve. Restores the
/// files if that fails. A unit starts at every moment, with the old configuration or the new one,
/// and another run completes what was interrupted.
[[nodiscard]] Result<ExitCode> bring_in(Foreground& host, const TunnelToBringIn& tunnel,
                                        const Manner& manner);

/// What an interrupted run has not done for units that take their token from keyturn's file.
struct Unfinished {
    std::optional<FileChange> surge;      ///< The unit of the extra connector.
    std::vector<std::string> unattested;  ///< Units, and that of the extra connector.

    [[nodiscard]] bool any() const { return surge || !unattested.empty(); }
};

/// Looks for what is unfinished. The units of the tunnel all take their token from keyturn's file.
[[nodiscard]] Unfinished find_unfinished(Foreground& host, const TunnelToBringIn& tunnel);

/// Does what is unfinished. Restarts nothing.
[[nodiscard]] Result<void> finish(Foreground& host, const TunnelToBringIn& tunnel,
                                  const Unfinished& rest);

/// Lets systemd read the unit files again.
[[nodiscard]] Result<void> daemon_reload();

}  // namespace keyturn
