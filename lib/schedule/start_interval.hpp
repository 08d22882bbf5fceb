#pragma once

#include "schedule/schedule.hpp"
#include "time/moment.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// A time in which the schedule lets a rotation begin: inside a window and outside all freezes.
struct StartInterval {
    WallTime begins = WallTime::min();
    WallTime ends = WallTime::max();  ///< The first moment after the interval.

    bool operator==(const StartInterval&) const = default;
};

/// The first interval with at least `length` in it, not counting the time before `from`; nothing if
/// no such interval comes. Windows that touch count as one. The interval may begin before `from`.
/// It may really end later than `ends`, if that makes no difference to a start with the schedule's
/// splay.
[[nodiscard]] std::optional<StartInterval> next_start_interval(const Schedule& schedule,
                                                               WallTime from, Milliseconds length);

/// The first moment from `from` on that is not in a freeze.
[[nodiscard]] WallTime frozen_until(const Schedule& schedule, WallTime from);

/// The last freeze in force between `from` and `until`, as a text: "a freeze (year end)"; nothing
/// if there is none.
[[nodiscard]] std::optional<std::string> describe_freeze(const Schedule& schedule, WallTime from,
                                                         WallTime until);

}  // namespace keyturn
