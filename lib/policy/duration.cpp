#include "policy/duration.hpp"

#include "base/ascii.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

struct Unit {
    std::string_view name;
    Milliseconds length;
};

/// The units of systemd.time(7), without those below a millisecond and those whose length varies.
constexpr std::array units{
    Unit{"ms", 1ms},      Unit{"msec", 1ms},     Unit{"s", 1s},         Unit{"sec", 1s},
    Unit{"second", 1s},   Unit{"seconds", 1s},   Unit{"m", 1min},       Unit{"min", 1min},
    Unit{"minute", 1min}, Unit{"minutes", 1min}, Unit{"h", 1h},         Unit{"hr", 1h},
    Unit{"hour", 1h},     Unit{"hours", 1h},     Unit{"d", 24h},        Unit{"day", 24h},
    Unit{"days", 24h},    Unit{"w", 7 * 24h},    Unit{"week", 7 * 24h}, Unit{"weeks", 7 * 24h},
};

constexpr std::array varying{"M", "month", "months", "mo", "y", "year", "years"};

/// Takes the longest prefix whose characters satisfy `wanted`.
template <class Predicate>
std::string_view take(std::string_view& rest, Predicate wanted) {
    const auto end = std::ranges::find_if_not(rest, wanted);
    const std::string_view taken{rest.begin(), end};
    rest.remove_prefix(taken.size());
    return taken;
}

Error not_a_duration(std::string_view text) {
    return invalid(
        fmt::format("is not a duration: {}; write it as `10m` or `1h 30min`", in_backticks(text)));
}

Error too_long(std::string_view text) {
    return invalid(fmt::format("is out of range: {}", in_backticks(text)));
}

Error unknown_unit(std::string_view number, std::string_view unit) {
    if (std::ranges::find(varying, unit) != varying.end()) {
        return invalid(
            fmt::format("uses the unit `{}`, which varies in length; write days (`d`) or weeks "
                        "(`w`); `m` means minutes",
                        unit));
    }
    return invalid(fmt::format("uses the unknown unit {} after `{}`; use ms, s, min, h, d or w",
                               in_backticks(unit), quote_safe(number)));
}

Result<Milliseconds> parse_part(std::string_view number, std::string_view unit_name,
                                std::string_view whole) {
    const auto unit = std::ranges::find(units, unit_name, &Unit::name);
    if (unit == units.end()) return unknown_unit(number, unit_name);
    const auto count = to_number<std::int64_t>(number);
    std::int64_t total = 0;
    if (!count || __builtin_mul_overflow(*count, unit->length.count(), &total)) {
        return too_long(whole);
    }
    return Milliseconds{total};
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
    if (text == "0") return Milliseconds{0};
    std::string_view rest = text;
    std::int64_t total = 0;
    bool seen = false;
    const auto is_space = [](char c) { return c == ' '; };
    while (!rest.empty()) {
        const std::string_view number = take(rest, is_digit);
        if (number.empty()) return not_a_duration(text);
        take(rest, is_space);
        const std::string_view unit = take(rest, is_letter);
        if (unit.empty() && rest.empty() && !seen) {
            return invalid(fmt::format("needs a unit: write `{0}s` or `{0}m` (minutes), not `{0}`",
                                       quote_safe(number)));
        }
        if (unit.empty()) return not_a_duration(text);
        take(rest, is_space);
        const Result<Milliseconds> part = parse_part(number, unit, text);
        if (!part) return part.error();
        if (__builtin_add_overflow(total, part->count(), &total)) return too_long(text);
        seen = true;
    }
    if (!seen) return not_a_duration(text);
    return Milliseconds{total};
}

}  // namespace keyturn
