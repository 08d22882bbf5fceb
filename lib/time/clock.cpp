#include "time/clock.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <time.h>

namespace keyturn {

namespace {

Milliseconds read_clock(clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);
    return std::chrono::seconds{now.tv_sec} +
           std::chrono::duration_cast<Milliseconds>(std::chrono::nanoseconds{now.tv_nsec});
}

class SystemClock final : public Clock {
  public:
    explicit SystemClock(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    WallTime wall_now() const override { return WallTime{read_clock(CLOCK_REALTIME)}; }
    BootTime boot_now() const override { return BootTime{read_clock(CLOCK_BOOTTIME)}; }

    std::chrono::microseconds stopwatch() const override {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::microseconds>(now);
    }

    Task<> sleep_until(BootTime when) override {
        // Asio's timers follow CLOCK_MONOTONIC, which stands still in a suspend: ask again after
        // each sleep, so that a resume is noticed after one short sleep at the latest.
        boost::asio::steady_timer timer(executor_);
        while (boot_now() < when) {
            timer.expires_after(std::min<Milliseconds>(when - boot_now(), longest_sleep));
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
    }

  private:
    static constexpr Milliseconds longest_sleep = std::chrono::hours{1};

    boost::asio::any_io_executor executor_;
};

}  // namespace

std::unique_ptr<Clock> make_clock(boost::asio::any_io_executor executor) {
    return std::make_unique<SystemClock>(std::move(executor));
}

}  // namespace keyturn
