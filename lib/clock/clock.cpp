#include "clock/clock.hpp"

#include "base/unique_fd.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <limits>
#include <map>
#include <sys/timerfd.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

namespace keyturn {

namespace {

Milliseconds read_clock(clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);
    return std::chrono::seconds{now.tv_sec} +
           std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds{now.tv_nsec});
}

timespec to_timespec(BootTime moment) {
    const Milliseconds since_boot = moment.time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since_boot);
    timespec spec{};
    spec.tv_sec = whole.count();
    spec.tv_nsec = std::chrono::nanoseconds{since_boot - whole}.count();
    return spec;
}

/// A reading of the clock lags by up to this much, because it is in whole milliseconds. The alarm
/// is set later by this much, so that no sleep ends too early.
constexpr Milliseconds reading_error{1};

/// A kernel timer (timerfd) that Asio can wait for.
class KernelTimer {
  public:
    KernelTimer(const boost::asio::any_io_executor& executor, clockid_t clock)
        : descriptor_(executor, open(clock).release()) {}

    /// Sets the moment, on the timer's clock, at which it expires. Zero disarms it.
    void set(timespec when, int flags) {
        itimerspec spec{};
        spec.it_value = when;
        const int result = ::timerfd_settime(descriptor_.native_handle(), flags, &spec, nullptr);
        if (result != 0) throw std::system_error(errno, std::system_category(), "timerfd_settime");
    }

    /// Resets an expired timer, so that it can be waited for again. Returns an errno value or 0.
    int acknowledge() {
        std::uint64_t count = 0;
        return ::read(descriptor_.native_handle(), &count, sizeof count) < 0 ? errno : 0;
    }

    boost::asio::posix::stream_descriptor& descriptor() { return descriptor_; }

  private:
    static UniqueFd open(clockid_t clock) {
        UniqueFd fd{::timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC)};
        if (!fd.valid()) throw std::system_error(errno, std::system_category(), "timerfd_create");
        return fd;
    }

    boost::asio::posix::stream_descriptor descriptor_;
};

/// All sleeping coroutines share one kernel timer, set to the first wake-up. Asio's own timers
/// follow CLOCK_MONOTONIC, which stops during suspend.
class SystemClock final : public Clock {
  public:
    explicit SystemClock(const boost::asio::any_io_executor& executor)
        : executor_(executor),
          alarm_(executor, CLOCK_BOOTTIME),
          changes_(executor, CLOCK_REALTIME) {
        watch_for_changes();
    }

    WallTime wall_now() const override { return WallTime{read_clock(CLOCK_REALTIME)}; }
    BootTime boot_now() const override { return read_boot_clock(); }

    std::chrono::microseconds stopwatch() const override {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::microseconds>(now);
    }

    Task<> sleep_until(BootTime when) override {
        if (read_boot_clock() >= when) co_return;
        const auto self = sleepers_.emplace(when, Sleeper(executor_));
        set_alarm();
        // The wait is aborted both by the alarm and by cancellation; the clock tells which it was.
        static_cast<void>(co_await self->second.timer.async_wait(
            boost::asio::as_tuple(boost::asio::use_awaitable)));
        sleepers_.erase(self);
        set_alarm();
        if (read_boot_clock() < when)
            throw boost::system::system_error(boost::asio::error::operation_aborted);
    }

    Task<> wall_clock_set() override {
        for (;;) {
            co_await changes_.descriptor().async_wait(
                boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
            const bool set = changes_.acknowledge() == ECANCELED;
            watch_for_changes();
            if (set) co_return;
        }
    }

  private:
    struct Sleeper {
        explicit Sleeper(const boost::asio::any_io_executor& executor)
            : timer(executor, boost::asio::steady_timer::time_point::max()) {}

        boost::asio::steady_timer timer;
        bool woken = false;
    };

    /// Sets the alarm for the first sleeper that is not woken yet. Without sleepers nothing is
    /// waited for.
    void set_alarm() {
        auto first = sleepers_.begin();
        while (first != sleepers_.end() && first->second.woken) ++first;
        const bool wanted = first != sleepers_.end();
        const BootTime when = wanted ? first->first + reading_error : BootTime{};
        if (when != alarm_at_) alarm_.set(to_timespec(when), TFD_TIMER_ABSTIME);
        alarm_at_ = when;
        if (wanted && !waiting_) wait_for_alarm();
        if (!wanted && waiting_) alarm_.descriptor().cancel();
    }

    void wait_for_alarm() {
        waiting_ = true;
        alarm_.descriptor().async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                       [this](const boost::system::error_code& error) {
                                           waiting_ = false;
                                           if (!error) static_cast<void>(alarm_.acknowledge());
                                           wake_sleepers();
                                           set_alarm();
                                       });
    }

    void wake_sleepers() {
        const BootTime now = read_boot_clock();
        for (auto& [when, sleeper] : sleepers_) {
            if (when > now) break;
            sleeper.woken = true;
            sleeper.timer.cancel();
        }
    }

    /// Set so far ahead that it never expires. Only a step of the clock or a resume ends the wait.
    void watch_for_changes() {
        timespec never{};
        never.tv_sec = std::numeric_limits<time_t>::max();
        changes_.set(never, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
    }

    boost::asio::any_io_executor executor_;
    KernelTimer alarm_;
    KernelTimer changes_;
    std::multimap<BootTime, Sleeper> sleepers_;
    BootTime alarm_at_{};
    bool waiting_ = false;
};

}  // namespace

BootTime read_boot_clock() {
    return BootTime{read_clock(CLOCK_BOOTTIME)};
}

std::unique_ptr<Clock> make_clock(boost::asio::any_io_executor executor) {
    return std::make_unique<SystemClock>(executor);
}

}  // namespace keyturn
