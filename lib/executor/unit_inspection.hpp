#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// The unit that helps out while the units of this tunnel are restarted.
[[nodiscard]] std::string surge_unit_of(const std::string& tunnel_name);

/// Why a unit that a glob takes in has no part in the rotation. Pure.
[[nodiscard]] std::string passed_over_text(const UnitSettings& settings);

/// Why a unit cannot be part of a rotation, and what to do: it would not take its token from
/// `token_file`, names another tunnel than this one, or restarting it would drag other units along.
/// Pure.
[[nodiscard]] std::optional<std::string> unit_problem(const UnitSettings& settings,
                                                      const std::string& token_file,
                                                      const ConnectorFiles& files,
                                                      const std::string& tunnel);

}  // namespace keyturn
