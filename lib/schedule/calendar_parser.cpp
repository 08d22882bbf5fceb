// The grammar of calendar events, as systemd 252 reads it.

#include "base/ascii.hpp"
#include "schedule/calendar.hpp"
#include "schedule/written.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace keyturn {
namespace {

constexpr std::array short_forms{
    ShortForm{"minutely", "*-*-* *:*:00"},
    ShortForm{"hourly", "*-*-* *:00:00"},
    ShortForm{"daily", "*-*-* 00:00:00"},
    ShortForm{"weekly", "Mon *-*-* 00:00:00"},
    ShortForm{"monthly", "*-*-01 00:00:00"},
    ShortForm{"quarterly", "*-01,04,07,10-01 00:00:00"},
    ShortForm{"semiannually", "*-01,07-01 00:00:00"},
    ShortForm{"semi-annually", "*-01,07-01 00:00:00"},
    ShortForm{"biannually", "*-01,07-01 00:00:00"},
    ShortForm{"bi-annually", "*-01,07-01 00:00:00"},
    ShortForm{"yearly", "*-01-01 00:00:00"},
    ShortForm{"annually", "*-01-01 00:00:00"},
    ShortForm{"anually", "*-01-01 00:00:00"},
};

constexpr std::array weekday_words{"monday", "tuesday",  "wednesday", "thursday",
                                   "friday", "saturday", "sunday"};
constexpr std::size_t short_weekday_size = 3;

/// Counted from the month's end, days beyond this are refused: a month of 28 days has none of them.
constexpr int days_from_the_end_max = 28;

constexpr std::string_view too_fine = "fractions of a second are not supported";

int full_year(int year) {
    if (year < 0 || year >= 100) return year;
    return year + (year < 70 ? 2000 : 1900);
}

/// The place of "Sun" or "Sunday", in upper or lower case, in the list; its end for other words.
auto find_weekday(std::string_view word) {
    return std::ranges::find_if(weekday_words, [name = lower(word)](std::string_view whole) {
        return name == whole || name == whole.substr(0, short_weekday_size);
    });
}

/// Gives equal sets of values the same form.
void normalize(CalendarField& field) {
    for (CalendarRange& range : field) {
        if (range.step > 0 && range.last > range.first) {
            range.last -= (range.last - range.first) % range.step;
        }
        if (range.last == range.first) range = {range.first, -1, 0};
    }
    std::ranges::sort(field);
    field.erase(std::unique(field.begin(), field.end()), field.end());
}

/// True if the range is inside the bounds and, if it repeats, reaches its second value.
bool within(CalendarRange range, int low, int high, bool from_the_end) {
    if (range.first < low || range.first > high || range.step > high - low) return false;
    if (range.last >= 0) {
        return range.last >= low && range.last <= high && range.first + range.step <= range.last;
    }
    return from_the_end ? range.first - range.step >= low : range.first + range.step <= high;
}

/// systemd accepts such a range except for seconds.
bool ends_where_it_begins(const CalendarRange& range) {
    return range.step == 1 && range.last >= 0 && range.last <= range.first;
}

}  // namespace

class CalendarParser {
  public:
    explicit CalendarParser(std::string_view text) : rest_(text) {}

    Result<Calendar> parse() {
        if (const Result<void> zone = take_zone(); !zone) return zone.error();
        if (rest_.empty()) return wrong("it names no time");
        const std::string word = lower(rest_);
        const auto form = std::ranges::find(short_forms, word, &ShortForm::word);
        if (form != short_forms.end()) rest_ = form->expression;

        if (const Result<void> weekdays = take_weekdays(); !weekdays) return weekdays.error();
        const Result<bool> whole = take_date();
        if (!whole) return whole.error();
        if (!*whole) {
            if (const Result<void> time = take_time(); !time) return time.error();
        }
        if (!rest_.empty()) {
            skip_spaces();
            return wrong(fmt::format("{} follows the time", written(rest_, "something")));
        }
        if (const Result<void> sound = check(); !sound) return sound.error();
        return calendar_;
    }

  private:
    /// Takes the last of several words if it begins with a letter.
    Result<void> take_zone() {
        const auto space = rest_.rfind(' ');
        if (space == std::string_view::npos || space + 1 == rest_.size()) return {};
        const std::string_view word = rest_.substr(space + 1);
        if (!is_letter(word.front()) || find_weekday(word) != weekday_words.end()) return {};
        const Result<TimeZone> zone = find_time_zone(lower(word) == "utc" ? "UTC" : word);
        if (word == "local" || !zone) {
            return wrong(fmt::format("its last word{} is not a time zone", written(word)));
        }
        calendar_.zone_ = *zone;
        rest_ = rest_.substr(0, space);
        return {};
    }

    Result<void> take_weekdays() {
        if (rest_.empty() || !is_letter(rest_.front())) return {};
        calendar_.weekdays_ = 0;
        int range_from = -1;
        for (;;) {
            const Result<bool> more = take_weekday(range_from);
            if (!more) return more.error();
            if (!*more) break;
        }
        if (range_from >= 0) return wrong("its range of weekdays has no end");
        skip_spaces();
        return {};
    }

    /// Takes one name and what joins it to the next; false if it was the last. `range_from` is the
    /// weekday with which a range begins, or negative.
    Result<bool> take_weekday(int& range_from) {
        const auto end = std::ranges::find_if_not(rest_, is_letter);
        const std::string name = lower({rest_.begin(), end});
        const auto found = find_weekday(name);
        if (found == weekday_words.end()) {
            return wrong(fmt::format("{} is not a weekday", written(name, "a word in it")));
        }
        rest_.remove_prefix(name.size());
        const int weekday = static_cast<int>(found - weekday_words.begin());
        if (range_from > weekday) return wrong("its range of weekdays runs backwards");
        for (int i = range_from < 0 ? weekday : range_from; i <= weekday; ++i) {
            calendar_.weekdays_ |= 1U << i;
        }
        const bool was_range = std::exchange(range_from, -1) >= 0;
        if (at(" ")) return false;
        if (take(',')) return !at(" ");
        const bool dots = rest_.starts_with("..");
        if (was_range || !(dots || rest_.starts_with('-'))) {
            return wrong("a weekday must be followed by a comma, a range or a space");
        }
        rest_.remove_prefix(dots ? 2 : 1);
        range_from = weekday;
        return !at(" ");
    }

    /// True if the date also includes the time.
    Result<bool> take_date() {
        if (rest_.empty()) return false;
        if (take('@')) {
            if (const Result<void> moment = take_moment(); !moment) return moment.error();
            return true;
        }
        const std::string_view begin = rest_;
        std::array<CalendarField, 3> parts;
        std::size_t count = 0;
        for (;;) {
            Result<CalendarField> part = take_field();
            if (!part) return part.error();
            parts[count++] = *std::move(part);
            if (count == 1 && at(":")) {
                rest_ = begin;  // This was a time.
                return false;
            }
            if (count > 1 && at(" ")) break;
            if (count == parts.size() || calendar_.from_the_end_ || !at("-~")) {
                return wrong("its date does not continue as year-month-day");
            }
            calendar_.from_the_end_ = rest_.front() == '~';
            rest_.remove_prefix(1);
        }
        skip_spaces();
        calendar_.days_ = parts[count - 1];
        calendar_.months_ = parts[count - 2];
        if (count == parts.size()) calendar_.years_ = parts[0];
        return false;
    }

    /// Takes seconds since 1970.
    Result<void> take_moment() {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), count);
        static constexpr std::int64_t last = 7'258'118'399;  // In 2199.
        if (error == std::errc::invalid_argument) {
            return wrong("`@` must be followed by seconds since 1970, not by a word");
        }
        if (error != std::errc{} || count < 0 || count > last) {
            return wrong("its moment is out of range");
        }
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        const std::chrono::sys_seconds moment{std::chrono::seconds{count}};
        const auto day = std::chrono::floor<std::chrono::days>(moment);
        const std::chrono::year_month_day date{day};
        const std::chrono::hh_mm_ss time{moment - day};
        const auto one = [](auto value) { return CalendarField{{static_cast<int>(value)}}; };
        calendar_.years_ = one(static_cast<int>(date.year()));
        calendar_.months_ = one(static_cast<unsigned>(date.month()));
        calendar_.days_ = one(static_cast<unsigned>(date.day()));
        calendar_.hours_ = one(time.hours().count());
        calendar_.minutes_ = one(time.minutes().count());
        calendar_.seconds_ = one(time.seconds().count());
        calendar_.zone_ = TimeZone{};
        return {};
    }

    Result<void> take_time() {
        const CalendarField zero{{0}};
        calendar_.hours_ = calendar_.minutes_ = calendar_.seconds_ = zero;
        if (rest_.empty()) return {};
        const std::array fields{&calendar_.hours_, &calendar_.minutes_, &calendar_.seconds_};
        for (std::size_t i = 0; i < fields.size(); ++i) {
            Result<CalendarField> field = take_field();
            if (!field) return field.error();
            const bool is_second = i + 1 == fields.size();
            if (is_second && std::ranges::any_of(*field, ends_where_it_begins)) {
                return wrong("a range of seconds ends where it begins");
            }
            *fields[i] = *std::move(field);
            if (at(" ") && i > 0) break;
            if (is_second) break;
            if (!take(':')) return wrong("its time does not continue as hour:minute");
        }
        if (rest_.starts_with('.')) return wrong(too_fine);
        return {};
    }

    Result<CalendarField> take_field() {
        if (take('*')) return CalendarField{};
        CalendarField field;
        do {
            const Result<CalendarRange> range = take_range();
            if (!range) return range.error();
            field.push_back(*range);
        } while (take(','));
        return field;
    }

    Result<CalendarRange> take_range() {
        CalendarRange range;
        const Result<int> first = take_number();
        if (!first) return first.error();
        range.first = *first;
        if (rest_.starts_with("..")) {
            rest_.remove_prefix(2);
            const Result<int> last = take_number();
            if (!last) return last.error();
            range.last = *last;
            range.step = 1;
        }
        if (take('/')) {
            const Result<int> step = take_number();
            if (!step) return step.error();
            if (rest_.starts_with('.') && !rest_.starts_with("..")) return wrong(too_fine);
            if (*step == 0) return wrong("its repetition step is 0");
            range.step = *step;
        }
        return range;
    }

    Result<int> take_number() {
        int number = 0;
        const bool digit = !rest_.empty() && is_digit(rest_.front());
        const auto [end, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (!digit && rest_.empty()) return wrong("a number is missing at its end");
        if (!digit)
            return wrong(fmt::format("a number is missing before{}", written(rest_, " the rest")));
        if (error != std::errc{}) {
            const std::string_view all =
                rest_.substr(0, static_cast<std::size_t>(end - rest_.data()));
            return wrong(fmt::format("its number{} is out of range", written(all)));
        }
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return number;
    }

    Result<void> check() {
        for (CalendarRange& range : calendar_.years_) {
            range.first = full_year(range.first);
            range.last = full_year(range.last);
        }
        if (calendar_.days_.empty()) calendar_.from_the_end_ = false;
        struct Unit {
            std::string_view name;
            CalendarField& field;
            int low = 0;
            int high = 0;
            bool from_the_end = false;
        };
        const bool ends = calendar_.from_the_end_;
        const std::array units{
            Unit{"years", calendar_.years_, calendar_year_min, calendar_year_max},
            Unit{"months", calendar_.months_, 1, 12},
            Unit{"days", calendar_.days_, 1, ends ? days_from_the_end_max : 31, ends},
            Unit{"hours", calendar_.hours_, 0, 23},
            Unit{"minutes", calendar_.minutes_, 0, 59},
            Unit{"seconds", calendar_.seconds_, 0, 59},
        };
        for (const Unit& unit : units) {
            normalize(unit.field);
            for (const CalendarRange& range : unit.field) {
                if (within(range, unit.low, unit.high, unit.from_the_end)) continue;
                for (const int value : {range.first, range.last}) {
                    if (value < 0 || (value >= unit.low && value <= unit.high)) continue;
                    return wrong(fmt::format("{} must be between {} and {}, not {}", unit.name,
                                             unit.low, unit.high, value));
                }
                return wrong(fmt::format(
                    "{} must be between {} and {}, and a range must run forward and repeat "
                    "within these bounds",
                    unit.name, unit.low, unit.high));
            }
        }
        const CalendarRange every_second{0, -1, 1};
        CalendarField& seconds = calendar_.seconds_;
        if (!seconds.empty() && seconds.front() == every_second) seconds.clear();
        return {};
    }

    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    /// True at the end of the text, or if one of these characters comes next.
    bool at(std::string_view any_of) const {
        return rest_.empty() || any_of.find(rest_.front()) != std::string_view::npos;
    }

    void skip_spaces() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    }

    [[nodiscard]] static Error wrong(std::string_view what) {
        return {Fault::invalid, fmt::format("is not a calendar event: {}", what)};
    }

    std::string_view rest_;
    Calendar calendar_;
};

Result<Calendar> parse_calendar(std::string_view text) {
    if (text.size() > calendar_bytes_max) {
        return Error{Fault::invalid,
                     fmt::format("is longer than {} characters", calendar_bytes_max)};
    }
    return CalendarParser{text}.parse();
}

}  // namespace keyturn
