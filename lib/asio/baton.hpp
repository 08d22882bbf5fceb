#pragma once

#include "asio/task.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace keyturn {

/// The right to do something that only one coroutine at a time may do. It is passed on in the order
/// in which they asked.
class Baton {
    using Channel = boost::asio::experimental::channel<void(boost::system::error_code)>;

  public:
    /// Passes the baton on at its end.
    class Holding {
      public:
        explicit Holding(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
        Holding(Holding&&) = default;
        Holding(const Holding&) = delete;
        Holding& operator=(const Holding&) = delete;
        Holding& operator=(Holding&&) = delete;
        ~Holding() {
            if (channel_) channel_->try_send(boost::system::error_code());
        }

      private:
        std::shared_ptr<Channel> channel_;
    };

    /// Throws `operation_aborted` if the caller is cancelled meanwhile.
    Task<Holding> take() {
        auto executor = co_await boost::asio::this_coro::executor;
        if (!channel_) {
            channel_ = std::make_shared<Channel>(executor, 1);
            channel_->try_send(boost::system::error_code());
        }
        co_await channel_->async_receive(boost::asio::use_awaitable);
        Holding holding(channel_);
        co_return holding;
    }

  private:
    std::shared_ptr<Channel> channel_;
};

}  // namespace keyturn
