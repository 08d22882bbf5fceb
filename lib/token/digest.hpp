#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace keyturn {

/// SHA-256 of the concatenated pieces, as 64 lower-case hex digits.
[[nodiscard]] std::string sha256_hex(std::initializer_list<std::string_view> pieces);

}  // namespace keyturn
