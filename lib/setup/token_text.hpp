#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "token/token.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace keyturn {

/// A token somewhere in a text.
struct FoundToken {
    TunnelToken token;
    std::size_t begin = 0;          ///< Of the part to replace.
    std::size_t size = 0;           ///< In bytes.
    bool credentials_json = false;  ///< The text is credentials JSON; the part is its secret.
};

/// Finds the first tunnel token in a text: a token file, a unit file, NAME=VALUE lines, config.yml
/// or cloudflared's credentials JSON ({"AccountTag", "TunnelSecret", "TunnelID"}; source:
/// cloudflared, connection/connection.go, `Credentials`). `tunnel` is used for old credentials
/// JSON, which has no TunnelID. Returns nothing if there is none that keyturn accepts. Pure.
[[nodiscard]] std::optional<FoundToken> find_token(std::string_view text,
                                                   std::string_view tunnel = {});

/// Finds the first token with this fingerprint. Pure.
[[nodiscard]] std::optional<FoundToken> find_token_with(std::string_view text,
                                                        const Fingerprint& fingerprint,
                                                        std::string_view tunnel = {});

/// Returns the text with another token in that place, and otherwise unchanged. Pure.
[[nodiscard]] Secret with_token(std::string_view text, const FoundToken& place,
                                const TunnelToken& token);

}  // namespace keyturn
