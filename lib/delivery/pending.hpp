#pragma once

#include "delivery/token_store.hpp"

#include <string_view>

namespace keyturn {

/// The text of pending/TUNNEL: a JSON object of strings with a SHA-256 over the three values, since
/// a damaged secret that still looks like one would be sent as another one.
[[nodiscard]] Secret encode_pending(const PendingTokens& tokens);

/// `Fault::invalid` for anything but what `encode_pending` wrote; the text never quotes the input.
[[nodiscard]] Result<PendingTokens> decode_pending(std::string_view text);

}  // namespace keyturn
