// The headers Retry-After, Date, Ratelimit and Ratelimit-Policy.
#include "cloudflare/answer_headers.hpp"

#include "fuzz/input.hpp"

#include <fmt/chrono.h>

using namespace keyturn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    const std::chrono::seconds wait = parse_retry_after(text);
    invariant(wait.count() >= 0 && wait <= retry_after_max, "a wait is bounded");
    const bool digits = text.find_first_not_of("0123456789 ") == std::string_view::npos;
    invariant(digits || wait.count() == 0, "what is no number is no wait");

    const std::size_t half = text.size() / 2;
    const auto limits = parse_rate_limits(text.substr(0, half), text.substr(half));
    invariant(limits.size() <= rate_limits_max, "the number of limits is bounded");
    for (const RateLimit& limit : limits) {
        invariant(!limit.name.empty() && limit.left >= 0 && limit.quota >= 0, "numbers count");
        invariant(limit.reset.count() >= 0 && limit.reset <= retry_after_max, "a wait is bounded");
        invariant(limit.window.count() >= 0, "a window is a time");
    }

    const std::optional<WallTime> moment = parse_http_date(text);
    // A leap second can be in the year 10000, of which no header can tell.
    if (!moment || *moment > WallTime{std::chrono::milliseconds{253'402'300'799'000}}) return 0;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*moment);
    const std::string written =
        fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                    fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())));
    invariant(parse_http_date(written) == moment, "a date is read as it is written");
    return 0;
}
