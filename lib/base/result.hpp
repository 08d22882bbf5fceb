#pragma once

#include "base/error.hpp"

#include <boost/system/result.hpp>

namespace keyturn {

/// What a function returns that an operator's world can make fail: the value, or an `Error`.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace keyturn
