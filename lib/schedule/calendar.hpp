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

/// The values `first`, `first + step`, ... up to `last`; to the end of the unit where `last` is
/// negative; `first` alone where `step` is 0, too.
struct CalendarRange {
    int first = 0;
    int last = -1;
    int step = 0;

    auto operator<=>(const CalendarRange&) const = default;
};

/// What a unit of a calendar may be, in ascending order; empty: anything (`*`).
using CalendarField = std::vector<CalendarRange>;

/// Beyond these nothing is planned; systemd has the same limits.
inline constexpr int calendar_year_min = 1970;
inline constexpr int calendar_year_max = 2199;

/// As systemd writes them, from Monday on.
inline constexpr std::array<std::string_view, 7> weekday_names{"Mon", "Tue", "Wed", "Thu",
                                                               "Fri", "Sat", "Sun"};

/// How an expression may be written; more is a mistake or an attack.
inline constexpr std::size_t calendar_bytes_max = 512;

/// A repeating time as systemd writes it in `OnCalendar=`; see systemd.time(7), "CALENDAR EVENTS".
class Calendar {
  public:
    /// The first moment after `after`, or nothing when there is none. `zone` is where clocks are
    /// looked at unless the expression names a zone of its own.
    [[nodiscard]] std::optional<WallTime> next_after(WallTime after, const TimeZone& zone) const;

    /// In systemd's normal form: "Mon..Fri *-*-* 09:00:00 Europe/Berlin".
    [[nodiscard]] std::string text() const;

    /// The zone the expression names.
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
    bool from_the_end_ = false;  ///< `days_` count from the month's last, which is 1.
    CalendarField hours_;
    CalendarField minutes_;
    CalendarField seconds_;
    std::optional<TimeZone> zone_;

    static constexpr unsigned every_weekday = 0x7f;
};

/// Reads systemd's grammar, except fractions of a second. Different from systemd in one more thing:
/// a time that clocks jump over is not skipped, it comes when they have jumped. The text of an
/// error completes "`calendar` ...".
[[nodiscard]] Result<Calendar> parse_calendar(std::string_view text);

}  // namespace keyturn
