#pragma once

#include "schedule/calendar.hpp"
#include "schedule/time_zone.hpp"
#include "time/moment.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

/// A repeating time span in which a scheduled rotation may begin and should end.
struct Window {
    Calendar start;
    Milliseconds length{0};

    bool operator==(const Window&) const = default;
};

/// A time span in which no scheduled rotation begins, whatever else says it should.
struct Freeze {
    LocalTime from;
    LocalTime to;     ///< The first moment after the freeze.
    std::string why;  ///< The operator's reason; may be empty.

    bool operator==(const Freeze&) const = default;
};

inline constexpr std::size_t windows_max = 50;
inline constexpr std::size_t freezes_max = 100;

/// When keyturnd rotates a tunnel's token automatically.
struct Schedule {
    Milliseconds every{0};                          ///< Age at which it is due; 0 for none.
    std::vector<Calendar> calendars;                ///< Due at the first moment of any of them.
    Milliseconds max_age{0};                        ///< Age that no window may delay; 0 for none.
    Milliseconds splay = std::chrono::minutes{30};  ///< Spreads the starts of many tunnels.
    Milliseconds min_interval = std::chrono::hours{24};
    TimeZone zone;                ///< Of calendars, windows and freezes.
    std::vector<Window> windows;  ///< Empty means any time.
    std::vector<Freeze> freezes;

    /// False if the tunnel is rotated only on demand.
    [[nodiscard]] bool scheduled() const {
        return every > Milliseconds{0} || !calendars.empty() || max_age > Milliseconds{0};
    }

    bool operator==(const Schedule&) const = default;
};

}  // namespace keyturn
