#pragma once

#include "base/result.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The text of a unit that is everything that another one is, under a name of its own: what
/// `keyturn-surge@TUNNEL.service` is made of. It runs a connector of the same tunnel as the same
/// user, in the same network, behind the same proxy and with the same protocol, takes its token
/// from `token_file`, and its metrics server finds itself a free port.
///
/// `texts`: the unit's own file and its drop-ins, in the order in which systemd reads them.
/// `invalid` with the reason where two of its kind could not run side by side, or where it is no
/// cloudflared. Pure.
[[nodiscard]] Result<std::string> surge_unit_text(const UnitSettings& settings,
                                                  const std::vector<std::string>& texts,
                                                  const std::string& tunnel_name,
                                                  const std::string& token_file);

}  // namespace keyturn
