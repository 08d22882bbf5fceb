#pragma once

#include "base/secret.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

// The cryptography of a fleet, by OpenSSL. Every key is in a Secret; OpenSSL wipes its own copies.

/// HKDF-SHA256 (RFC 5869) without a salt.
[[nodiscard]] Secret hkdf_sha256(const Secret& key, std::string_view info, std::size_t size);

/// HMAC-SHA256 (RFC 2104) in lower-case hex.
[[nodiscard]] std::string hmac_sha256_hex(const Secret& key, std::string_view text);

/// AES-256-GCM: a key of 32 bytes, a nonce of 12 bytes that is never used twice with it. Returns
/// the ciphertext with the tag of 16 bytes after it.
[[nodiscard]] std::string gcm_seal(const Secret& key, std::string_view nonce,
                                   std::string_view additional, const Secret& text);

/// The reverse; nothing if anything was changed.
[[nodiscard]] std::optional<Secret> gcm_open(const Secret& key, std::string_view nonce,
                                             std::string_view additional, std::string_view sealed);

inline constexpr std::size_t gcm_key_size = 32;
inline constexpr std::size_t gcm_nonce_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;

}  // namespace keyturn
