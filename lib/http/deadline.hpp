#pragma once

#include "asio/task.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

namespace keyturn {

/// Returns the result of `work`, or nothing if it takes longer than `limit`. `work` has ended in
/// either case. Throws `operation_aborted` if the caller was cancelled meanwhile.
template <class T>
Task<std::optional<T>> with_deadline(std::chrono::milliseconds limit, Task<T> work) {
    using namespace boost::asio::experimental::awaitable_operators;
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, limit);
    auto alarm = timer.async_wait(boost::asio::use_awaitable);
    std::optional<std::variant<T, std::monostate>> first;
    std::exception_ptr thrown;
    try {
        first.emplace(co_await (std::move(work) || std::move(alarm)));
    } catch (...) {
        thrown = std::current_exception();
    }
    // A cancelled caller sees the same exception, whichever of the two operands noticed it first.
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    if (thrown) std::rethrow_exception(thrown);
    if (first->index() == 1) co_return std::nullopt;
    co_return std::optional<T>(std::get<0>(std::move(*first)));
}

}  // namespace keyturn
