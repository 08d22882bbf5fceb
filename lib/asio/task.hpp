#pragma once

#include <boost/asio/awaitable.hpp>

namespace keyturn {

/// An asynchronous step. It starts when it is awaited and runs on the daemon's single thread.
template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace keyturn
