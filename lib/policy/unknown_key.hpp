#pragma once

#include "policy/key_table.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// True if people tend to put secrets under this key.
[[nodiscard]] bool names_a_secret(std::string_view key);

/// Describes a key that is unknown in `scope`: where it belongs, or which key it may be a typo of.
[[nodiscard]] std::string describe_unknown(std::string_view key, KeyScope scope);

}  // namespace keyturn
