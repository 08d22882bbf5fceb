#pragma once

#include "base/secret.hpp"

#include <optional>
#include <string_view>

namespace keyturn {

/// Standard base64 with padding (RFC 4648, section 4). Written here and not taken from a library
/// because what passes through is secret, and no library wipes its buffers.
[[nodiscard]] Secret encode_base64(std::string_view bytes);

/// The strict reverse: nothing when there is a character outside the alphabet (white space too),
/// missing or superfluous padding, or a bit set that `encode_base64` would not have set. So each
/// text stands for other bytes than every other text.
[[nodiscard]] std::optional<Secret> decode_base64(std::string_view text);

}  // namespace keyturn
