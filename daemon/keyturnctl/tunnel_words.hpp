#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>

namespace keyturn {

// What a status says, in words for people. Every text is printable.

/// True if a rotation of the tunnel is open, also if it waits, is paused or is held.
[[nodiscard]] bool is_open(const TunnelStatus& tunnel);

/// "soak after batch 1 of 2"; "" if no rotation is open.
[[nodiscard]] std::string phase_text(const TunnelStatus& tunnel);

/// What keyturnd does in this phase, as a clause: "watching the restarted units".
[[nodiscard]] std::string phase_work(const TunnelStatus& tunnel);

/// True from the moment when Cloudflare and the token file have the rotation's token.
[[nodiscard]] bool has_token(const TunnelStatus& tunnel);

/// True while a wait lasts to its end (a settle, a soak). Otherwise `step_ends` is a deadline.
[[nodiscard]] bool lasts_to_its_end(const TunnelStatus& tunnel);

/// "3m": the time from `since` to `now` without fractions; "0s" if somebody set the clock back.
[[nodiscard]] std::string age_text(WallTime since, WallTime now);

/// How the last rotation ended, "done 28d ago"; "no rotation yet".
[[nodiscard]] std::string last_text(const TunnelStatus& tunnel, WallTime now);

/// When the next rotation starts, "in 2d", "on demand".
[[nodiscard]] std::string next_text(const TunnelStatus& tunnel, WallTime now);

/// Why it starts then, "waits for a window"; "" if there is nothing to say.
[[nodiscard]] std::string next_reason(const TunnelStatus& tunnel);

/// How the checks at Cloudflare go, "token checked 3m ago".
[[nodiscard]] std::string check_text(const TunnelStatus& tunnel, WallTime now);

/// "2/2": how many units serve; "-" if unknown.
[[nodiscard]] std::string serving_text(const TunnelStatus& tunnel);

/// Returns true for the surge unit: the extra connector that serves while other units restart.
[[nodiscard]] bool is_surge(const UnitStatus& unit);

/// The step of a unit, as one word for people.
[[nodiscard]] std::string step_word(const UnitStatus& unit);

/// The health of this unit; empty members if the daemon does not report it.
[[nodiscard]] UnitHealth health_of(const TunnelStatus& tunnel, const UnitStatus& unit);

/// "4 connections", "1/4 connections" of those before, or "stopped"; "" if unknown.
[[nodiscard]] std::string service_text(const UnitStatus& unit, const UnitHealth& health);

/// "current token", "older token 0123456789abcdef", "token unknown"; "" if it does not run.
[[nodiscard]] std::string token_words(const UnitHealth& health);

}  // namespace keyturn
