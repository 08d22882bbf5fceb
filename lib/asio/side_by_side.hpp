#pragma once

#include "asio/task.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>

namespace keyturn {

/// The next piece of work, shared by all coroutines that do the work.
struct PiecesOfWork {
    std::size_t count = 0;
    std::function<Task<>(std::size_t)> perform;
    std::size_t next = 0;
};

namespace detail {

inline Task<> take_turns(PiecesOfWork& work, std::size_t hands) {
    using namespace boost::asio::experimental::awaitable_operators;
    if (hands > 1) {
        auto left = take_turns(work, hands / 2);
        auto right = take_turns(work, hands - hands / 2);
        co_await (std::move(left) && std::move(right));
        co_return;
    }
    while (work.next < work.count) {
        auto piece = work.perform(work.next++);
        co_await std::move(piece);
    }
}

}  // namespace detail

/// Performs pieces 0 to `count - 1`, at most `at_once` of them at the same time. `work` must
/// outlive the call. An exception from one piece ends the others. Throws `operation_aborted` if the
/// caller was cancelled.
inline Task<> perform_side_by_side(PiecesOfWork& work, std::size_t at_once) {
    if (work.count == 0) co_return;
    auto all = detail::take_turns(work, std::min(work.count, std::max<std::size_t>(at_once, 1)));
    std::exception_ptr thrown;
    try {
        co_await std::move(all);
    } catch (...) {
        thrown = std::current_exception();
    }
    // A cancelled caller sees the same exception, whichever piece noticed it first.
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace keyturn
