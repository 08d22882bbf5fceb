#include "schedule/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::weekday;
using std::chrono::year;
using std::chrono::year_month;
using std::chrono::year_month_day;

/// The first value of `range` from `from` on, at most `limit`.
std::optional<int> next_in(CalendarRange range, int from, int limit) {
    const int open_end = range.step > 0 ? limit : range.first;
    const int last = std::min(limit, range.last < 0 ? open_end : range.last);
    int value = range.first;
    if (value < from && range.step > 0) {
        value += (from - value + range.step - 1) / range.step * range.step;
    }
    if (value < from || value > last) return std::nullopt;
    return value;
}

std::optional<int> next_in(const CalendarField& field, int from, int limit) {
    if (field.empty()) return from <= limit ? std::optional{from} : std::nullopt;
    std::optional<int> best;
    for (const CalendarRange& range : field) {
        const std::optional<int> value = next_in(range, from, limit);
        if (value && (!best || *value < *best)) best = value;
    }
    return best;
}

int days_in(year_month of) {
    return static_cast<int>(static_cast<unsigned>((of / std::chrono::last).day()));
}

/// Converts a range that counts from the last day of a month, which is 1, to one that counts from
/// the first. `size` is the number of days in the month.
CalendarRange from_the_first(CalendarRange range, int size) {
    if (range.last < 0) return {size + 1 - range.first, -1, range.step};
    return {size + 1 - range.last, size + 1 - range.first, range.step};
}

std::string text_of(const CalendarField& field, int width) {
    if (field.empty()) return "*";
    std::string text;
    for (const CalendarRange& range : field) {
        if (!text.empty()) text += ',';
        text += fmt::format("{:0{}}", range.first, width);
        const bool ranged = range.last >= 0;
        if (ranged) text += fmt::format("..{:0{}}", range.last, width);
        if (range.step > 0 && !(ranged && range.step == 1)) text += fmt::format("/{}", range.step);
    }
    return text;
}

/// "Mon..Wed,Fri": three or more weekdays in a row become a range.
std::string text_of_weekdays(unsigned bits) {
    std::string text;
    for (std::size_t i = 0; i < weekday_names.size(); ++i) {
        if ((bits >> i & 1U) == 0) continue;
        std::size_t end = i;
        while (end + 1 < weekday_names.size() && (bits >> (end + 1) & 1U) != 0) ++end;
        if (!text.empty()) text += ',';
        text += weekday_names[i];
        if (end > i) text += fmt::format("{}{}", end > i + 1 ? ".." : ",", weekday_names[end]);
        i = end;
    }
    return text;
}

}  // namespace

std::optional<WallTime> Calendar::next_after(WallTime after, const TimeZone& zone) const {
    const TimeZone& where = zone_ ? *zone_ : zone;
    LocalTime from = floor<seconds>(where.latest_local(after)) + seconds{1};
    for (;;) {
        const std::optional<LocalTime> found = next_local(from);
        if (!found) return std::nullopt;
        const WallTime moment = where.moment(*found);
        if (moment > after) return moment;
        from = *found + seconds{1};
    }
}

std::optional<LocalTime> Calendar::next_local(LocalTime from) const {
    local_days day = floor<days>(from);
    seconds time = std::chrono::duration_cast<seconds>(from - day);
    for (;;) {
        const std::optional<local_days> found = next_day(day);
        if (!found) return std::nullopt;
        if (*found != day) time = seconds{0};
        if (const std::optional<seconds> of_day = next_time(time)) return *found + *of_day;
        day = *found + days{1};
        time = seconds{0};
    }
}

std::optional<local_days> Calendar::next_day(local_days from) const {
    const year_month_day begin{from};
    int first_year = std::max(static_cast<int>(begin.year()), calendar_year_min);
    for (;;) {
        const auto year_found = next_in(years_, first_year, calendar_year_max);
        if (!year_found) return std::nullopt;
        const bool begins_here = year{*year_found} == begin.year();
        int first_month = begins_here ? static_cast<int>(static_cast<unsigned>(begin.month())) : 1;
        while (const auto month_found = next_in(months_, first_month, 12)) {
            const year_month here{year{*year_found}, month{static_cast<unsigned>(*month_found)}};
            const bool begins_now = here == year_month{begin.year(), begin.month()};
            const int first_day =
                begins_now ? static_cast<int>(static_cast<unsigned>(begin.day())) : 1;
            if (const auto day = next_day_of(here, first_day)) {
                return local_days{here / *day};
            }
            first_month = *month_found + 1;
        }
        first_year = *year_found + 1;
    }
}

/// The first day of `month`, from `from` on, that matches the days and weekdays.
std::optional<int> Calendar::next_day_of(year_month month, int from) const {
    const int size = days_in(month);
    CalendarField fitting = days_;
    if (from_the_end_) {
        for (CalendarRange& range : fitting) range = from_the_first(range, size);
    }
    while (const auto day = next_in(fitting, from, size)) {
        const weekday name{local_days{month / *day}};
        if ((weekdays_ >> (name.iso_encoding() - 1) & 1U) != 0) return day;
        from = *day + 1;
    }
    return std::nullopt;
}

std::optional<seconds> Calendar::next_time(seconds from) const {
    const std::chrono::hh_mm_ss begin{from};
    const int hour = static_cast<int>(begin.hours().count());
    int first_hour = hour;
    while (const auto h = next_in(hours_, first_hour, 23)) {
        const int minute = static_cast<int>(begin.minutes().count());
        int first_minute = *h == hour ? minute : 0;
        while (const auto m = next_in(minutes_, first_minute, 59)) {
            const bool begins_here = *h == hour && *m == minute;
            const int first_second = begins_here ? static_cast<int>(begin.seconds().count()) : 0;
            if (const auto s = next_in(seconds_, first_second, 59)) {
                return hours{*h} + minutes{*m} + seconds{*s};
            }
            first_minute = *m + 1;
        }
        first_hour = *h + 1;
    }
    return std::nullopt;
}

std::string Calendar::text() const {
    std::string text;
    if (weekdays_ != every_weekday) text = text_of_weekdays(weekdays_) + ' ';
    text += fmt::format("{}-{}{}{} {}:{}:{}", text_of(years_, 4), text_of(months_, 2),
                        from_the_end_ ? '~' : '-', text_of(days_, 2), text_of(hours_, 2),
                        text_of(minutes_, 2), text_of(seconds_, 2));
    if (zone_) text += fmt::format(" {}", zone_->name());
    return text;
}

}  // namespace keyturn
