#pragma once

#include "base/result.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The text of a unit that copies another one under its own name: what
/// `keyturn-surge@TUNNEL.service` consists of. It runs a connector of the same tunnel as the same
/// user, in the same network, behind the same proxy and with the same protocol. It takes its token
/// from `token_file`, and its metrics server picks a free port.
///
/// `texts` are the unit's own file and its drop-ins, in the order in which systemd reads them.
/// Fails with `invalid` and the reason if two such units could not run side by side, or if the unit
/// is not a cloudflared. Pure.
[[nodiscard]] Result<std::string> surge_unit_text(const UnitSettings& settings,
                                                  const std::vector<std::string>& texts,
                                                  const std::string& tunnel_name,
                                                  const std::string& token_file);

}  // namespace keyturn
