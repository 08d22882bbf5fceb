#pragma once

#include "base/secret.hpp"
#include "token/token.hpp"

#include <string_view>

namespace keyturn {

/// Takes the line `token:` out of a cloudflared config.yml: it becomes a comment without the token,
/// because a token there overrides every token file. Returns the text unchanged if it has no such
/// line with a token. Pure.
[[nodiscard]] Secret without_token_line(std::string_view text);

/// Puts the line back as it was, with this token. Returns the text unchanged if no line was taken
/// out. Pure.
[[nodiscard]] Secret with_token_line(std::string_view text, const TunnelToken& token);

}  // namespace keyturn
