#pragma once

#include "base/secret.hpp"

#include <optional>
#include <string_view>

namespace keyturn {

/// Standard base64 with padding (RFC 4648, section 4). Like the reverse, it uses the functions of
/// OpenSSL that keep nothing of a secret in buffers of their own.
[[nodiscard]] Secret encode_base64(std::string_view bytes);

/// The strict reverse. Returns nothing for a character outside the alphabet (even white space),
/// missing or extra padding, or a bit that `encode_base64` would not have set. So no two texts
/// stand for the same bytes.
[[nodiscard]] std::optional<Secret> decode_base64(std::string_view text);

}  // namespace keyturn
