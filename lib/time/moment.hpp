#pragma once

#include <chrono>
#include <ratio>
#include <string>

namespace keyturn {

using Milliseconds = std::chrono::milliseconds;

/// A point in wall-clock time, UTC, to the millisecond.
using WallTime = std::chrono::sys_time<Milliseconds>;

/// Names the epoch of `BootTime`, which is the host's boot. Only `Clock` reads the time.
struct BootClock {
    using duration = Milliseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
};

/// A point of CLOCK_BOOTTIME, to the millisecond. It has no meaning after a reboot.
using BootTime = BootClock::time_point;

/// "2026-03-01T02:30:00Z", for records, the journal and tables.
[[nodiscard]] std::string to_text(WallTime moment);

/// "1h 4m", "9m 58s", "2.5s": the two largest units, for people.
[[nodiscard]] std::string to_text(Milliseconds duration);

}  // namespace keyturn
