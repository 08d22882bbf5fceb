#include "fakes/simulated_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace keyturn {

Task<> SimulatedClock::sleep_until(BootTime when) {
    sleepers_.emplace_back(Sleeper{when, boost::asio::steady_timer(context_)});
    const auto self = std::prev(sleepers_.end());
    self->timer.expires_at(boost::asio::steady_timer::time_point::max());
    // The wait ends by a jump of the clock, which moves `now_`, or by cancellation, which does not.
    static_cast<void>(
        co_await self->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable)));
    sleepers_.erase(self);
    if (now_ < when) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

Task<> SimulatedClock::wall_clock_set() {
    if (!set_) {
        static_cast<void>(
            co_await set_signal_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable)));
    }
    if (!set_) throw boost::system::system_error(boost::asio::error::operation_aborted);
    set_ = false;
}

bool SimulatedClock::wake_next(BootTime end) {
    const auto next = std::ranges::min_element(sleepers_, {}, &Sleeper::when);
    if (next == sleepers_.end() || next->when > end) return false;
    now_ = std::max(now_, next->when);
    next->timer.cancel();
    return true;
}

}  // namespace keyturn
