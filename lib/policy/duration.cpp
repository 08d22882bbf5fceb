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

struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

/// The units of systemd.time(7), without those below a millisecond and those whose length varies.
constexpr std::array units{
    Unit{"ms", 1},          Unit{"msec", 1},         Unit{"s", second},     Unit{"sec", second},
    Unit{"second", second}, Unit{"seconds", second}, Unit{"m", minute},     Unit{"min", minute},
    Unit{"minute", minute}, Unit{"minutes", minute}, Unit{"h", hour},       Unit{"hr", hour},
    Unit{"hour", hour},     Unit{"hours", hour},     Unit{"d", day},        Unit{"day", day},
    Unit{"days", day},      Unit{"w", 7 * day},      Unit{"week", 7 * day}, Unit{"weeks", 7 * day},
};

constexpr std::array varying{"M", "month", "months", "mo", "y", "year", "years"};

/// Takes the longest prefix whose characters satisfy `wanted`.
template <class Predicate>
std::string_view take(std::string_view& rest, Predicate wanted) {
    const auto end = std::find_if_not(rest.begin(), rest.end(), wanted);
    const std::string_view taken{rest.begin(), end};
    rest.remove_prefix(taken.size());
    return taken;
}

Error invalid(std::string text) {
    return {Fault::invalid, std::move(text), {}};
}

Error not_a_duration(std::string_view text) {
    return invalid(
        fmt::format("is not a duration: {}; write it as `10m` or `1h 30min`", in_backticks(text)));
}

Error too_long(std::string_view text) {
    return invalid(fmt::format("is out of range: {}", in_backticks(text)));
}

Error unknown_unit(std::string_view number, std::string_view unit) {
    if (std::find(varying.begin(), varying.end(), unit) != varying.end()) {
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
    const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& candidate) {
        return candidate.name == unit_name;
    });
    if (unit == units.end()) return unknown_unit(number, unit_name);
    std::int64_t total = 0;
    for (const char digit : number) {
        if (__builtin_mul_overflow(total, std::int64_t{10}, &total)) return too_long(whole);
        if (__builtin_add_overflow(total, std::int64_t{digit - '0'}, &total))
            return too_long(whole);
    }
    if (__builtin_mul_overflow(total, unit->milliseconds, &total)) return too_long(whole);
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
