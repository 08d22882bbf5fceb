#include "policy/time_value.hpp"

#include "base/ascii.hpp"
#include "policy/source_text.hpp"
#include "policy/suggestion.hpp"
#include "policy/time_hint.hpp"
#include "schedule/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace keyturn {
namespace {

constexpr std::size_t remark_size_max = 200;
constexpr std::string_view date_shape = "0000-00-00";
constexpr std::string_view minute_shape = "0000-00-00 00:00";
constexpr std::string_view second_shape = "0000-00-00 00:00:00";

bool has_shape(std::string_view text, std::string_view shape) {
    return std::ranges::equal(
        text, shape, [](char c, char wanted) { return wanted == '0' ? is_digit(c) : c == wanted; });
}

/// The number that the digits at `at` form; 0 past the end of the text.
int number_at(std::string_view text, std::size_t at, std::size_t size) {
    return at < text.size() ? to_number<int>(text.substr(at, size)).value_or(0) : 0;
}

std::optional<LocalTime> read_date(std::string_view text) {
    const bool shaped = has_shape(text, date_shape) || has_shape(text, minute_shape) ||
                        has_shape(text, second_shape);
    if (!shaped) return std::nullopt;
    const std::chrono::year_month_day day{
        std::chrono::year{number_at(text, 0, 4)},
        std::chrono::month{static_cast<unsigned>(number_at(text, 5, 2))},
        std::chrono::day{static_cast<unsigned>(number_at(text, 8, 2))}};
    const int hour = number_at(text, 11, 2);
    const int minute = number_at(text, 14, 2);
    const int second = number_at(text, 17, 2);
    const bool sound = day.ok() && day.year() >= std::chrono::year{2000} &&
                       day.year() <= std::chrono::year{calendar_year_max} && hour < 24 &&
                       minute < 60 && second < 60;
    if (!sound) return std::nullopt;
    return std::chrono::local_days{day} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           std::chrono::seconds{second};
}

}  // namespace

Result<PolicyValue> read_time_zone(std::string_view text) {
    const Result<TimeZone> zone = find_time_zone(text);
    if (zone) return PolicyValue{*zone};
    if (zone.error().fault != Fault::invalid) return zone.error();
    return invalid(
        fmt::format("{}, not {}{}", zone.error().text, in_backticks(text), zone_hint(text)));
}

Result<PolicyValue> read_calendar(std::string_view text) {
    Result<Calendar> calendar = parse_calendar(text);
    if (!calendar) return invalid(calendar.error().text + calendar_hint(text));
    return PolicyValue{std::vector{*std::move(calendar)}};
}

Result<PolicyValue> read_cron(std::string_view text) {
    Result<std::vector<Calendar>> calendars = parse_cron(text);
    if (!calendars) return invalid(calendars.error().text + cron_hint(text));
    return PolicyValue{*std::move(calendars)};
}

Result<PolicyValue> read_freeze(std::string_view text, std::chrono::days length_of_date) {
    const std::optional<LocalTime> date = read_date(text);
    if (!date) {
        return invalid(
            fmt::format("must be a date such as `2026-12-20`, or a date and time in quotes such as "
                        "`\"2026-12-20 18:00\"`, not {}",
                        in_backticks(text)));
    }
    const bool whole_day = text.size() == date_shape.size();
    return PolicyValue{whole_day ? *date + length_of_date : *date};
}

Result<PolicyValue> read_remark(std::string_view text) {
    if (text.empty() || count_characters(text) > remark_size_max) {
        return invalid(fmt::format("must have between 1 and {} characters, not {}", remark_size_max,
                                   count_characters(text)));
    }
    if (sound_size(text) != text.size() || text.find('\t') != std::string_view::npos) {
        return invalid("contains a control character");
    }
    if (with_secrets_starred(text) != text) {
        return invalid(
            "is shown to everybody, but looks as if it contains a secret; remove the secret");
    }
    return PolicyValue{std::string{text}};
}

}  // namespace keyturn
