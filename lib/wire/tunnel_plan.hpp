#pragma once

#include "time/moment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// One future scheduled rotation.
struct PlannedStart {
    WallTime due{};
    std::optional<WallTime> start;  ///< Empty: never, with the present policy.
    std::optional<WallTime> end;    ///< Expected, if nothing goes wrong.
    std::string cause;              ///< due, window, freeze, max_age or never.
    std::string freeze{};  ///< The freeze that delays it, "a freeze (year end)"; may be empty.

    bool operator==(const PlannedStart&) const = default;
};

/// The future rotations of a tunnel, and the batches in which they restart its units.
struct TunnelPlan {
    std::string name;
    std::vector<std::string> units;    ///< As last seen; before that, as the policy names them.
    std::vector<int> batches;          ///< How many units each step restarts.
    std::vector<PlannedStart> starts;  ///< Empty: on demand only.
    bool paused = false;
    std::string timezone;  ///< Of the tunnel's calendars, windows and freezes: an IANA name.

    bool operator==(const TunnelPlan&) const = default;
};

/// The largest `count` of Plan.
inline constexpr unsigned planned_starts_max = 100;

}  // namespace keyturn
