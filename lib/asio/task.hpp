#pragma once

#include <boost/asio/awaitable.hpp>

namespace keyturn {

/// An asynchronous step: starts when awaited, runs on the one thread of the daemon.
template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace keyturn
