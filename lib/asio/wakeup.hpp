#pragma once

#include "asio/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace keyturn {

/// Wakes one waiting coroutine. If none is waiting, the next wait returns at once.
class Wakeup {
  public:
    explicit Wakeup(const boost::asio::any_io_executor& executor)
        : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

    void wake() {
        woken_ = true;
        timer_.cancel();
    }

    /// Returns when woken; throws `operation_aborted` when its coroutine is cancelled.
    Task<> wait() {
        while (!woken_) {
            // Both `wake` and cancellation end the wait with operation_aborted; the state shows
            // which it was.
            static_cast<void>(
                co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable)));
            const auto state = co_await boost::asio::this_coro::cancellation_state;
            if (state.cancelled() != boost::asio::cancellation_type::none) {
                throw boost::system::system_error(boost::asio::error::operation_aborted);
            }
        }
        woken_ = false;
    }

  private:
    boost::asio::steady_timer timer_;
    bool woken_ = false;
};

}  // namespace keyturn
