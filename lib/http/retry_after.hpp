#pragma once

#include <chrono>
#include <string_view>

namespace keyturn {

/// Cloudflare blocks calls for five minutes (API limits page, 2026-04-20), so no wait is longer.
inline constexpr std::chrono::seconds retry_after_max{300};

/// Retry-After in whole seconds, at most `retry_after_max`. Returns zero, which means "use our own
/// back-off", for a date, a negative number and anything else that is not a number.
[[nodiscard]] std::chrono::seconds parse_retry_after(std::string_view value);

}  // namespace keyturn
