#pragma once

#include "base/result.hpp"
#include "schedule/time_zone.hpp"
#include "time/moment.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// The values `first`, `first + step`, ... up to `last`. If `last` is negative, they go up to the
/// unit's end; if `step` is 0 as well, the only value is `first`.
struct CalendarRange {
    int first = 0;
    int last = -1;
    int step = 0;

    auto operator<=>(const CalendarRange&) const = default;
};

/// The allowed values of one unit of a calendar, in ascending order. Empty means any (`*`).
using CalendarField = std::vector<CalendarRange>;

/// Nothing is planned outside these years. systemd has the same limits (calendarspec.c).
inline constexpr int calendar_year_min = 1970;
inline constexpr int calendar_year_max = 2199;

/// In systemd's spelling, starting with Monday.
inline constexpr std::array<std::string_view, 7> weekday_names{"Mon", "Tue", "Wed", "Thu",
                                                               "Fri", "Sat", "Sun"};

/// The maximum length of an expression. A longer one is a mistake or an attack.
inline constexpr std::size_t calendar_bytes_max = 512;

/// A repeating time in the form of `OnCalendar=`; see systemd.time(7), "CALENDAR EVENTS".
class Calendar {
  public:
    /// The first moment after `after`; nothing if there is none. The calendar's own zone takes
    /// precedence over `zone`.
    [[nodiscard]] std::optional<WallTime> next_after(WallTime after, const TimeZone& zone) const;

    /// In systemd's normal form: "Mon..Fri *-*-* 09:00:00 Europe/Berlin".
    [[nodiscard]] std::string text() const;

    /// The zone that the expression itself names.
    [[nodiscard]] const std::optional<TimeZone>& zone() const { return zone_; }

    bool operator==(const Calendar&) const = default;

  private:
    friend class CalendarParser;

    [[nodiscard]] std::optional<LocalTime> next_local(LocalTime from) const;
    [[nodiscard]] std::optional<std::chrono::local_days> next_day(
        std::chrono::local_days from) const;
    [[nodiscard]] std::optional<std::chrono::seconds> next_time(std::chrono::seconds from) const;
    [[nodiscard]] std::optional<int> next_day_of(std::chrono::year_month month, int from) const;

    unsigned weekdays_ = every_weekday;  ///< Monday is the lowest bit.
    CalendarField years_;
    CalendarField months_;
    CalendarField days_;
    bool from_the_end_ = false;  ///< `days_` count from the last day of the month, which is 1.
    CalendarField hours_;
    CalendarField minutes_;
    CalendarField seconds_;
    std::optional<TimeZone> zone_;

    static constexpr unsigned every_weekday = 0x7f;
};

/// Reads systemd's grammar except fractions of a second. There is one other difference: systemd
/// skips a time that clocks jump over, but here it comes at the end of the jump. Errors are
/// `Fault::invalid`; their text completes "`calendar` ...".
[[nodiscard]] Result<Calendar> parse_calendar(std::string_view text);

}  // namespace keyturn
