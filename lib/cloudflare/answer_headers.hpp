#pragma once

#include "http/retry_after.hpp"
#include "time/moment.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A Date header in the form that HTTP servers send (IMF-fixdate of RFC 9110): "Tue, 24 Nov 2026
/// 06:50:54 GMT". Returns nothing for any other form.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view value);

/// A limit that an answer reports: `"default";r=50;t=30` in Ratelimit, and what Ratelimit-Policy
/// adds to it: `"default";q=100;w=60` (Cloudflare's changelog of 2025-09-03).
struct RateLimit {
    std::string name;
    int left = 0;                    ///< Calls left until the reset, for everybody who shares it.
    std::chrono::seconds reset{0};   ///< From now, at most `retry_after_max`.
    int quota = 0;                   ///< Calls in a window; 0 if unknown.
    std::chrono::seconds window{0};  ///< 0 if unknown.

    bool operator==(const RateLimit&) const = default;
};

/// How many limits are read from one answer, at most.
inline constexpr std::size_t rate_limits_max = 4;

/// The limits in the two headers. Skips items without `r` and `t`, or whose name is not a plain
/// word in quotes. Ignores unknown parameters.
[[nodiscard]] std::vector<RateLimit> parse_rate_limits(std::string_view ratelimit,
                                                       std::string_view policy);

}  // namespace keyturn
