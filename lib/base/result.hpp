#pragma once

#include "base/error.hpp"

#include <boost/system/result.hpp>

namespace keyturn {

/// The result of a function that can fail for reasons an operator may meet: the value or an
/// `Error`.
template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace keyturn
