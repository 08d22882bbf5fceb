#pragma once

#include "policy/key_table.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// True for a key under which people put secrets.
[[nodiscard]] bool names_a_secret(std::string_view key);

/// What is wrong with a key that `scope` does not know, and where it belongs or what it may be a
/// slip of.
[[nodiscard]] std::string describe_unknown(std::string_view key, KeyScope scope);

}  // namespace keyturn
