#pragma once

#include <string>

namespace keyturn {

/// The name of this host up to its first dot, in lower case; empty if the kernel does not tell it.
[[nodiscard]] std::string short_host_name();

}  // namespace keyturn
