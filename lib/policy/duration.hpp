#pragma once

#include "base/result.hpp"
#include "time/moment.hpp"

#include <string_view>

namespace keyturn {

/// Reads a duration as systemd writes them: "10m", "1h 30min", "2w", and a plain "0". `m` is
/// minutes, as in systemd. Every other number needs a unit; months and years are refused because
/// their length varies. The text of an error completes "`soak` ...".
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);

}  // namespace keyturn
