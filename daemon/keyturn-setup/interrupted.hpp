#pragma once

#include "setup/connector_survey.hpp"
#include "setup/foreground.hpp"

namespace keyturn {

/// Looks for the connectors of this host, when keyturnd has ended what an earlier run has asked
/// for. If a run was interrupted after it had changed a drop-in of ours, systemd reads that first:
/// otherwise nothing could be done with the unit. `changes_nothing`: it does not.
[[nodiscard]] Result<Survey> survey_host(Foreground& host, bool changes_nothing);

}  // namespace keyturn
