#pragma once

#include "base/result.hpp"

#include <string>

namespace keyturn {

/// A new key, as a line of the file of fleet keys: "key-1 HEX". It is meant to be printed, and so
/// is in memory that nobody wipes.
[[nodiscard]] Result<std::string> new_fleet_key();

}  // namespace keyturn
