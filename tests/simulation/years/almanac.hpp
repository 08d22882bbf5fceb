#pragma once

#include "schedule/schedule.hpp"
#include "simulation/dice.hpp"

#include <string>
#include <vector>

namespace date {
class time_zone;
}

namespace keyturn::years {

using simulation::Dice;

/// A time of the week or, where `day` is given, of the month; as clocks show it.
struct ClockTime {
    unsigned weekdays = 0;  ///< Sunday is the lowest bit; 0: on a day of the month.
    int day = 0;            ///< 1 to 28.
    int hour = 0;
    int minute = 0;

    /// As systemd writes it.
    [[nodiscard]] std::string text() const;
};

struct WeeklyWindow {
    ClockTime opens;
    Milliseconds length{0};
};

/// What a policy says of when, and an answer to what it means that shares no code with
/// lib/schedule: day by day, by the tz database itself.
class Almanac {
  public:
    /// Drawn by chance; freezes lie in the years after `begin`.
    Almanac(Dice& dice, WallTime begin, int years);

    [[nodiscard]] Schedule schedule() const;

    /// Takes another zone, as a new policy may.
    void move_to_another_zone(Dice& dice);

    /// True where `length` from `moment` on lie in windows, give or take `margin`.
    [[nodiscard]] bool in_windows(WallTime moment, Milliseconds length, Milliseconds margin) const;

    /// True deep in a freeze: `margin` away from its ends.
    [[nodiscard]] bool in_a_freeze(WallTime moment, Milliseconds margin) const;

    /// How much of the time from `begin` to `end` is frozen at most.
    [[nodiscard]] Milliseconds frozen(WallTime begin, WallTime end) const;

    /// True where the calendar comes between the two.
    [[nodiscard]] bool comes_between(WallTime begin, WallTime end) const;

    Milliseconds every{0};  ///< 0: by the calendar.
    Milliseconds max_age{0};
    Milliseconds min_interval{0};
    Milliseconds splay{0};
    std::vector<WeeklyWindow> windows;
    std::vector<Freeze> freezes;

  private:
    [[nodiscard]] std::vector<WallTime> moments(const ClockTime& time, WallTime begin,
                                                WallTime end) const;
    [[nodiscard]] WallTime moment_of(LocalTime time) const;

    ClockTime calendar_;
    std::string zone_name_;
    const date::time_zone* zone_ = nullptr;
};

}  // namespace keyturn::years
