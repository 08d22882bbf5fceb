#include "cloudflare/answer_headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace keyturn {

namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

bool all_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The number that fills `text` whole; -1 when it holds anything but digits.
int number(std::string_view text) {
    int value = -1;
    if (all_digits(text)) std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

template <std::size_t size>
unsigned place_of(const std::array<std::string_view, size>& names, std::string_view name) {
    return static_cast<unsigned>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

}  // namespace

std::chrono::seconds parse_retry_after(std::string_view value) {
    value = trimmed(value);
    if (!all_digits(value)) return std::chrono::seconds{0};
    // A number too large for an int is a long time, not a malformed one.
    if (value.size() > 9) return retry_after_max;
    return std::min(std::chrono::seconds{number(value)}, retry_after_max);
}

std::optional<WallTime> parse_http_date(std::string_view value) {
    // The form has fixed columns: "Www, DD Mmm YYYY hh:mm:ss GMT".
    value = trimmed(value);
    if (value.size() != 29 || value.substr(25) != " GMT" || value.substr(3, 2) != ", " ||
        value[7] != ' ' || value[11] != ' ' || value[16] != ' ' || value[19] != ':' ||
        value[22] != ':') {
        return std::nullopt;
    }
    const unsigned month = place_of(months, value.substr(8, 3)) + 1;
    const int day = number(value.substr(5, 2));
    const int year = number(value.substr(12, 4));
    const std::chrono::hours hours{number(value.substr(17, 2))};
    const std::chrono::minutes minutes{number(value.substr(20, 2))};
    const std::chrono::seconds seconds{number(value.substr(23, 2))};
    if (day < 0 || year < 0 || hours.count() < 0 || minutes.count() < 0 || seconds.count() < 0 ||
        hours.count() > 23 || minutes.count() > 59 || seconds.count() > 60 ||
        place_of(weekdays, value.substr(0, 3)) == weekdays.size()) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return WallTime{std::chrono::sys_days{date}} + hours + minutes + seconds;
}

}  // namespace keyturn
