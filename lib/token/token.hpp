#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// What a tunnel token says: base64(JSON {"a": account, "t": tunnel, "s": base64 secret, "e"?}).
/// Source: cloudflared, connection/connection.go, `TunnelToken`.
struct TunnelToken {
    std::string account;   ///< A decoded one is in lower case,
    std::string tunnel;    ///< and so is this.
    Secret secret;         ///< The decoded bytes, 32 or more.
    std::string endpoint;  ///< "fed" for FedRAMP, mostly empty; kept over a rotation.
};

/// 16 hex digits of SHA-256("keyturn" | tunnel | secret): names a secret without telling it, the
/// same on every boot and host.
using Fingerprint = std::string;

/// Decodes a token as GET token or a token file gives it; white space around it is ignored.
/// Stricter than cloudflared, which starts with nearly anything: an empty field, a tunnel that is
/// no UUID, a key twice or in capitals, a value that is no text, a secret under 32 bytes, more than
/// `token_size_max` bytes or trailing garbage is `Fault::invalid`. The text of an error never
/// quotes the input.
[[nodiscard]] Result<TunnelToken> decode_token(std::string_view text);

/// The token's text: standard base64 with padding, keys in cloudflared's order (a, s, t, e).
[[nodiscard]] Secret encode_token(const TunnelToken& token);

/// Standard base64 with padding, as PATCH wants `tunnel_secret`.
[[nodiscard]] Secret encode_secret(const Secret& bytes);

/// Equality by decoded account, tunnel, secret and endpoint; account and tunnel without regard to
/// case, the secret in constant time.
[[nodiscard]] bool same_token(const TunnelToken& left, const TunnelToken& right);

[[nodiscard]] Fingerprint fingerprint_of(const TunnelToken& token);

/// 32 hex digits derived from tunnel and secret: the same for every retry of one rotation.
[[nodiscard]] std::string rotation_id_of(const TunnelToken& token);

inline constexpr std::size_t token_size_max = 4096;
inline constexpr std::size_t secret_size_min = 32;

}  // namespace keyturn
