#pragma once

#include "time/moment.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace keyturn {

/// Cloudflare blocks for five minutes at most, so nothing asks us to wait longer than that.
inline constexpr std::chrono::seconds retry_after_max{300};

/// Retry-After in whole seconds, at most `retry_after_max`. Zero, which means "our own back-off",
/// for a date, a negative number and anything else that is not a number.
[[nodiscard]] std::chrono::seconds parse_retry_after(std::string_view value);

/// A Date header as every HTTP/1.1 server writes it: "Tue, 24 Nov 2026 06:50:54 GMT".
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view value);

}  // namespace keyturn
