#pragma once

#include <string>

namespace keyturn {

/// What the kernel means by an errno value, in words for administrators.
[[nodiscard]] std::string errno_text(int errno_value);

}  // namespace keyturn
