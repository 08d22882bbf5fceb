#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace keyturn {

// The entries of `metrics_address`. Errors are `Fault::invalid`; their text completes
// "`metrics_address` ...".

/// Checks the name of a unit that has an address: a whole name, because no two units share one.
[[nodiscard]] Result<void> check_addressed_unit(std::string_view name);

/// Reads "127.0.0.1:20241" or "[::1]:20241" and returns it in its shortest form. Whether this host
/// has that address is not checked here: the network may come up after keyturnd.
[[nodiscard]] Result<std::string> read_metrics_address(std::string_view text);

/// The error for a value that cannot be an address.
[[nodiscard]] Error no_metrics_address();

}  // namespace keyturn
