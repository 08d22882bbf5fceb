#pragma once

#include "clock/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <list>

namespace keyturn {

/// A clock that stops while there is anything to do, and then jumps to the next sleeper.
class SimulatedClock final : public Clock {
  public:
    explicit SimulatedClock(boost::asio::io_context& context)
        : context_(context), set_signal_(context) {
        set_signal_.expires_at(boost::asio::steady_timer::time_point::max());
    }

    WallTime wall_now() const override { return true_now() + wrong_by_; }
    BootTime boot_now() const override { return now_; }
    std::chrono::microseconds stopwatch() const override { return now_.time_since_epoch(); }
    Task<> sleep_until(BootTime when) override;
    Task<> wall_clock_set() override;

    /// The correct time of day.
    WallTime true_now() const { return wall_start_ + (now_ - start_); }

    /// Sets the wall clock wrong by `error`, as a person or a lost battery does. Zero corrects it.
    void set_wrong_by(Milliseconds error) {
        wrong_by_ = error;
        set_ = true;
        set_signal_.cancel();
    }

    /// The host, with every process on it, sleeps for `time` and wakes up.
    void suspend(Milliseconds time) {
        now_ += time;
        set_wrong_by(wrong_by_);
    }

    /// Runs whatever is ready and jumps over idle time until nothing sleeps, `done` is true or
    /// `limit` of simulated time has passed. Returns whether `done` is true.
    template <class Condition>
    bool run_until(Condition done, Milliseconds limit) {
        const BootTime end = now_ + limit;
        for (;;) {
            context_.restart();
            context_.poll();
            if (done()) return true;
            if (wake_next(end)) continue;
            now_ = std::max(now_, end);
            return false;
        }
    }

  private:
    struct Sleeper {
        BootTime when;
        boost::asio::steady_timer timer;
    };

    bool wake_next(BootTime end);

    boost::asio::io_context& context_;
    std::list<Sleeper> sleepers_;
    BootTime start_{std::chrono::hours{1}};
    BootTime now_ = start_;
    WallTime wall_start_{std::chrono::seconds{1'772'332'200}};
    Milliseconds wrong_by_{0};
    boost::asio::steady_timer set_signal_;
    bool set_ = false;
};

}  // namespace keyturn
