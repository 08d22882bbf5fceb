#pragma once

#include "base/error.hpp"
#include "time/moment.hpp"

#include <array>

namespace keyturn {

/// How long to wait before asking again. The first waits are short, because most outages are short
/// and a replica that loses a connection after the commit cannot get it back. Later it is once a
/// minute for ever, because only a person may decide to give up.
inline constexpr std::array<std::chrono::seconds, 8> retry_intervals{
    std::chrono::seconds{1},   // elapsed:  1 s
    std::chrono::seconds{1},   //           2 s
    std::chrono::seconds{2},   //           4 s
    std::chrono::seconds{4},   //           8 s
    std::chrono::seconds{8},   //          16 s
    std::chrono::seconds{15},  //          31 s
    std::chrono::seconds{30},  //         1 min
    std::chrono::seconds{60},  //         2 min, and so on
};

/// The wait after the `attempt`-th failure in a row, counted from 0. If the server says when to
/// come back, the wait is at least that long.
[[nodiscard]] constexpr Milliseconds pause_after(std::size_t attempt, const Error& error) {
    const std::size_t last = retry_intervals.size() - 1;
    const Milliseconds interval = retry_intervals[attempt < last ? attempt : last];
    const Milliseconds asked = error.retry_after;
    return asked > interval ? asked : interval;
}

}  // namespace keyturn
