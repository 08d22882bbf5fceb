#pragma once

#include "time/moment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// One rotation that is to come by itself.
struct PlannedStart {
    WallTime due{};
    std::optional<WallTime> start;  ///< Nothing: never, as things are.
    std::optional<WallTime> end;    ///< As expected, when nothing goes wrong.
    std::string cause;              ///< due, window, freeze, max_age or never.
    std::string freeze{};           ///< What it waits for, "a freeze (year end)"; may be empty.

    bool operator==(const PlannedStart&) const = default;
};

/// What is to come for a tunnel, and how its units would be restarted.
struct TunnelPlan {
    std::string name;
    std::vector<std::string> units;    ///< As last seen; before that, as the policy names them.
    std::vector<int> batches;          ///< How many units each step restarts.
    std::vector<PlannedStart> starts;  ///< Empty: on demand only.
    bool paused = false;
    std::string timezone;  ///< Of the tunnel's calendars, windows and freezes: an IANA name.

    bool operator==(const TunnelPlan&) const = default;
};

/// So many starts of each tunnel are told at most.
inline constexpr unsigned planned_starts_max = 100;

}  // namespace keyturn
