#pragma once

#include "model/unit_state.hpp"

#include <optional>
#include <string_view>

namespace keyturn {

/// A duration in the notation of Go, as cloudflared's options have it: "30s", "1m30s", "500ms".
/// Pure.
[[nodiscard]] std::optional<Milliseconds> parse_go_duration(std::string_view text);

/// How long the unit's cloudflared lets requests end after a stop: --grace-period or
/// TUNNEL_GRACE_PERIOD, else its default of 30 s. Pure.
[[nodiscard]] Milliseconds grace_period_of(const UnitSettings& settings);

/// True if a version such as "2024.12.2" is older than another one. A version that is not made of
/// numbers is not older. Pure.
[[nodiscard]] bool is_older(std::string_view version, std::string_view than);

}  // namespace keyturn
