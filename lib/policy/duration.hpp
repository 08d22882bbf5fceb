#pragma once

#include "base/result.hpp"
#include "time/moment.hpp"

#include <string_view>

namespace keyturn {

/// Reads a duration in the notation of systemd.time(7): "10m", "1h 30min", "2w", or a plain "0".
/// `m` means minutes, as in systemd. Every other number needs a unit. Months and years are refused
/// because their length varies. Errors are `Fault::invalid`; their text completes "`soak` ...".
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);

}  // namespace keyturn
