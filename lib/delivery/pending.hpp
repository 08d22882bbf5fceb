#pragma once

#include "delivery/token_store.hpp"

#include <string_view>

namespace keyturn {

/// The text of pending/TUNNEL: a JSON object of strings with a SHA-256 over the three values.
/// Without the checksum, a damaged secret that still looks like one would be sent to Cloudflare.
[[nodiscard]] Secret encode_pending(const PendingTokens& tokens);

/// Reads what `encode_pending` wrote. Anything else is `Fault::invalid`; the text never quotes the
/// input.
[[nodiscard]] Result<PendingTokens> decode_pending(std::string_view text);

}  // namespace keyturn
