#pragma once

#include "time/moment.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// Cloudflare blocks for five minutes at most, so nothing asks us to wait longer than that.
inline constexpr std::chrono::seconds retry_after_max{300};

/// Retry-After in whole seconds, at most `retry_after_max`. Zero, which means "our own back-off",
/// for a date, a negative number and anything else that is not a number.
[[nodiscard]] std::chrono::seconds parse_retry_after(std::string_view value);

/// A Date header as every HTTP/1.1 server writes it: "Tue, 24 Nov 2026 06:50:54 GMT".
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view value);

/// A limit that an answer tells of: `"default";r=50;t=30` in Ratelimit, and what Ratelimit-Policy
/// adds to it: `"default";q=100;w=60`.
struct RateLimit {
    std::string name;
    int left = 0;                    ///< Calls until the reset, for all who share the limit.
    std::chrono::seconds reset{0};   ///< From now, at most `retry_after_max`.
    int quota = 0;                   ///< Calls in a window; 0 when not told.
    std::chrono::seconds window{0};  ///< 0 when not told.

    bool operator==(const RateLimit&) const = default;
};

/// So many limits are taken from one answer at most.
inline constexpr std::size_t rate_limits_max = 4;

/// The limits in the two headers. An item without `r` and `t`, or with a name that is no plain
/// word in quotes, is left out; unknown parameters are ignored.
[[nodiscard]] std::vector<RateLimit> parse_rate_limits(std::string_view ratelimit,
                                                       std::string_view policy);

}  // namespace keyturn
