#pragma once

#include "schedule/cron.hpp"
#include "schedule/schedule.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace keyturn {

/// "2026-03-29 02:30" or "2026-03-29 02:30:15" as clocks show it.
[[nodiscard]] inline LocalTime clock_time(const std::string& text) {
    const auto number = [&](std::size_t at, std::size_t size) {
        return at < text.size() ? std::stoi(text.substr(at, size)) : 0;
    };
    const std::chrono::year_month_day day{std::chrono::year{number(0, 4)},
                                          std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                          std::chrono::day{static_cast<unsigned>(number(8, 2))}};
    return std::chrono::local_days{day} + std::chrono::hours{number(11, 2)} +
           std::chrono::minutes{number(14, 2)} + std::chrono::seconds{number(17, 2)};
}

/// The same in UTC.
[[nodiscard]] inline WallTime utc(const std::string& text) {
    return WallTime{clock_time(text).time_since_epoch()};
}

[[nodiscard]] inline TimeZone zone_named(std::string_view name) {
    return find_time_zone(name).value();
}

[[nodiscard]] inline Calendar calendar(std::string_view text) {
    return parse_calendar(text).value();
}

[[nodiscard]] inline Window window(std::string_view start, Milliseconds length) {
    return {calendar(start), length};
}

[[nodiscard]] inline Freeze freeze(const std::string& from, const std::string& to,
                                   std::string why = {}) {
    return {clock_time(from), clock_time(to), std::move(why)};
}

}  // namespace keyturn
