#pragma once

#include "asio/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>
#include <memory>
#include <utility>

namespace keyturn {

/// The right to do something that only one coroutine at a time may do. It is passed on in the order
/// in which they asked. A coroutine that is cancelled at the moment when it gets the baton passes
/// it on, too: a channel of Asio 1.81 would lose it then.
class Baton {
    struct Place {
        explicit Place(const boost::asio::any_io_executor& executor)
            : timer(executor, boost::asio::steady_timer::time_point::max()) {}
        boost::asio::steady_timer timer;
        bool given = false;
    };
    struct Queue {
        bool taken = false;
        std::list<Place> waiting;

        /// To the next one that waits and does not have it yet.
        void pass_on() {
            taken = !waiting.empty();
            if (!taken) return;
            waiting.front().given = true;
            waiting.front().timer.cancel();
        }
    };

  public:
    /// Passes the baton on at its end.
    class Holding {
      public:
        explicit Holding(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
        Holding(Holding&&) = default;
        Holding(const Holding&) = delete;
        Holding& operator=(const Holding&) = delete;
        Holding& operator=(Holding&&) = delete;
        ~Holding() {
            if (queue_) queue_->pass_on();
        }

      private:
        std::shared_ptr<Queue> queue_;
    };

    /// Throws `operation_aborted` if the caller is cancelled meanwhile.
    Task<Holding> take() {
        auto executor = co_await boost::asio::this_coro::executor;
        if (!std::exchange(queue_->taken, true)) {
            Holding holding(queue_);
            co_return holding;
        }
        Waiting waiting(queue_, executor);
        while (!waiting.place().given) {
            static_cast<void>(co_await waiting.place().timer.async_wait(
                boost::asio::as_tuple(boost::asio::use_awaitable)));
            const auto state = co_await boost::asio::this_coro::cancellation_state;
            if (state.cancelled() != boost::asio::cancellation_type::none) {
                throw boost::system::system_error(boost::asio::error::operation_aborted);
            }
        }
        Holding holding = waiting.use();
        co_return holding;
    }

  private:
    /// A place in the queue. Leaves it at its end, and passes on a baton that was not used.
    class Waiting {
      public:
        Waiting(std::shared_ptr<Queue> queue, const boost::asio::any_io_executor& executor)
            : queue_(std::move(queue)),
              place_(queue_->waiting.emplace(queue_->waiting.end(), executor)) {}
        Waiting(const Waiting&) = delete;
        Waiting& operator=(const Waiting&) = delete;
        ~Waiting() {
            const bool unused = place_->given && !used_;
            queue_->waiting.erase(place_);
            if (unused) queue_->pass_on();
        }
        [[nodiscard]] Place& place() { return *place_; }
        Holding use() {
            used_ = true;
            return Holding(queue_);
        }

      private:
        std::shared_ptr<Queue> queue_;
        std::list<Place>::iterator place_;
        bool used_ = false;
    };

    std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
};

}  // namespace keyturn
