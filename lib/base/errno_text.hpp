#pragma once

#include <string>

namespace keyturn {

/// The meaning of an errno value, in words for administrators.
[[nodiscard]] std::string errno_text(int errno_value);

}  // namespace keyturn
