#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// The content of a tunnel token: base64(JSON {"a": account, "t": tunnel, "s": base64 secret,
/// "e"?}). Source: cloudflared, connection/connection.go, `TunnelToken`.
struct TunnelToken {
    std::string account;   ///< In lower case after decoding.
    std::string tunnel;    ///< In lower case after decoding.
    Secret secret;         ///< The decoded bytes, at least `secret_size_min`.
    std::string endpoint;  ///< "fed" for FedRAMP, otherwise mostly empty; kept in a rotation.
};

/// 16 hex digits of SHA-256("keyturn" | tunnel | secret). It names a secret without revealing it,
/// and is the same on every boot and host.
using Fingerprint = std::string;

/// Decodes a token from GET token or a token file. Ignores white space around it. It is stricter
/// than cloudflared, which starts with nearly anything: an empty field, a tunnel that is not a
/// UUID, a key that occurs twice or has capitals, a value that is not a string, a secret under 32
/// bytes, more than `token_size_max` bytes or trailing garbage is `Fault::invalid`. The text of an
/// error never quotes the input.
[[nodiscard]] Result<TunnelToken> decode_token(std::string_view text);

/// The token's text: standard base64 with padding, keys in cloudflared's order (a, s, t, e).
[[nodiscard]] Secret encode_token(const TunnelToken& token);

/// Standard base64 with padding, the form of `tunnel_secret` in a PATCH.
[[nodiscard]] Secret encode_secret(const Secret& bytes);

/// Compares the decoded account, tunnel, secret and endpoint: account and tunnel without regard to
/// case, the secret in constant time.
[[nodiscard]] bool same_token(const TunnelToken& left, const TunnelToken& right);

[[nodiscard]] Fingerprint fingerprint_of(const TunnelToken& token);

/// Of the token in a text; empty if there is none in it.
[[nodiscard]] Fingerprint fingerprint_of_text(const Secret& text);

/// 32 hex digits derived from tunnel and secret: the same for every retry of one rotation.
[[nodiscard]] std::string rotation_id_of(const TunnelToken& token);

/// In bytes. Real tokens have about 200, so this is a limit of keyturn's own.
inline constexpr std::size_t token_size_max = 4096;
/// In bytes: "at least 32 bytes" in the description of `tunnel_secret` in Cloudflare's OpenAPI
/// schema.
inline constexpr std::size_t secret_size_min = 32;

}  // namespace keyturn
