#pragma once

#include "schedule/calendar.hpp"
#include "schedule/time_zone.hpp"
#include "time/moment.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

/// A stretch of time in which a scheduled rotation may begin and should end, again and again.
struct Window {
    Calendar start;
    Milliseconds length{0};

    bool operator==(const Window&) const = default;
};

/// From one date to another nothing scheduled begins, whatever else says it should.
struct Freeze {
    LocalTime from;
    LocalTime to;     ///< The first moment after it.
    std::string why;  ///< The operator's words; may be empty.

    bool operator==(const Freeze&) const = default;
};

inline constexpr std::size_t windows_max = 50;
inline constexpr std::size_t freezes_max = 100;

/// When a tunnel's token is rotated without anybody asking.
struct Schedule {
    Milliseconds every{0};                          ///< Age at which it is due; 0: not by its age.
    std::vector<Calendar> calendars;                ///< Due at the first moment of any of them.
    Milliseconds max_age{0};                        ///< Age that no window may delay; 0: none.
    Milliseconds splay = std::chrono::minutes{30};  ///< Spread of the starts of many tunnels.
    Milliseconds min_interval = std::chrono::hours{24};
    TimeZone zone;                ///< Of calendars, windows and freezes.
    std::vector<Window> windows;  ///< None: any time.
    std::vector<Freeze> freezes;

    /// False: on demand only.
    [[nodiscard]] bool scheduled() const {
        return every > Milliseconds{0} || !calendars.empty() || max_age > Milliseconds{0};
    }

    bool operator==(const Schedule&) const = default;
};

}  // namespace keyturn
