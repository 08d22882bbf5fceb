#pragma once

#include "schedule/schedule.hpp"
#include "time/moment.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// A time in which the schedule lets a rotation begin: inside of a window and outside of freezes.
struct StartInterval {
    WallTime begins = WallTime::min();
    WallTime ends = WallTime::max();  ///< The first moment after it.

    bool operator==(const StartInterval&) const = default;
};

/// The first interval with `length` to go in it, not counting what is before `from`; nothing where
/// no such interval is to come. Windows that touch are one. It may begin before `from`, and it may
/// go on after `ends` where that makes no difference to a start with the schedule's splay.
[[nodiscard]] std::optional<StartInterval> next_start_interval(const Schedule& schedule,
                                                               WallTime from, Milliseconds length);

/// The first moment from `from` on that is in no freeze.
[[nodiscard]] WallTime frozen_until(const Schedule& schedule, WallTime from);

/// The last freeze that is in force at a moment from `from` on and before `until`: "a freeze (year
/// end)"; nothing where none is.
[[nodiscard]] std::optional<std::string> describe_freeze(const Schedule& schedule, WallTime from,
                                                         WallTime until);

}  // namespace keyturn
