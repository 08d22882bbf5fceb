#pragma once

#include "asio/task.hpp"
#include "time/moment.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>

namespace keyturn {

/// Two clocks, because calendars follow wall-clock time and waits must not.
class Clock {
  public:
    virtual ~Clock() = default;

    /// CLOCK_REALTIME. It can jump, so it is for calendars and records, never for waits.
    [[nodiscard]] virtual WallTime wall_now() const = 0;

    /// CLOCK_BOOTTIME. It never goes back and includes time in suspend. For soaks and deadlines.
    [[nodiscard]] virtual BootTime boot_now() const = 0;

    /// CLOCK_MONOTONIC, for measuring short durations.
    [[nodiscard]] virtual std::chrono::microseconds stopwatch() const = 0;

    /// Returns at `when` or soon after it, even after a suspend. Throws `operation_aborted` on
    /// cancellation. The process does not wake up in between.
    virtual Task<> sleep_until(BootTime when) = 0;

    /// Returns when the wall clock has been set since the last call, or the host has resumed from
    /// suspend. Throws `operation_aborted` on cancellation. Only one caller at a time.
    virtual Task<> wall_clock_set() = 0;
};

/// The time of `Clock::boot_now`, for those who only read it: a clock has kernel timers, too.
[[nodiscard]] BootTime read_boot_clock();

[[nodiscard]] std::unique_ptr<Clock> make_clock(boost::asio::any_io_executor executor);

}  // namespace keyturn
