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

/// A time in the week or, if `day` is set, in the month, as clocks show it.
struct ClockTime {
    unsigned weekdays = 0;  ///< Sunday is the lowest bit; 0 for a day of the month.
    int day = 0;            ///< 1 to 28.
    int hour = 0;
    int minute = 0;

    /// In systemd's notation.
    [[nodiscard]] std::string text() const;
};

struct WeeklyWindow {
    ClockTime opens;
    Milliseconds length{0};
};

/// The times in a policy, and their meaning, in code that shares nothing with lib/schedule: it goes
/// day by day and uses the tz database directly.
class Almanac {
  public:
    /// Draws everything; freezes are in the years after `begin`.
    Almanac(Dice& dice, WallTime begin, int years);

    [[nodiscard]] Schedule schedule() const;

    /// Switches to another zone, as a new policy may.
    void move_to_another_zone(Dice& dice);

    /// True if `length` from `moment` on is inside windows, within `margin`.
    [[nodiscard]] bool in_windows(WallTime moment, Milliseconds length, Milliseconds margin) const;

    /// True inside a freeze, at least `margin` away from its ends.
    [[nodiscard]] bool in_a_freeze(WallTime moment, Milliseconds margin) const;

    /// The most time between `begin` and `end` that is frozen.
    [[nodiscard]] Milliseconds frozen(WallTime begin, WallTime end) const;

    /// True if the calendar comes between the two.
    [[nodiscard]] bool comes_between(WallTime begin, WallTime end) const;

    Milliseconds every{0};  ///< 0 means by the calendar.
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
