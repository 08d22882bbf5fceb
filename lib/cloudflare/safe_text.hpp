#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// Makes text from a server fit for a log line: printable ASCII only, at most `size_max` bytes
/// before "...", and with everything that could be a credential (eyJ..., cfat_..., any long run of
/// base64) replaced by "[redacted]". Ids of accounts, tunnels and connectors stay, even in a path,
/// because people compare them.
[[nodiscard]] std::string safe_text(std::string_view text, std::size_t size_max);

/// True if the text has what Cloudflare's credentials begin with.
[[nodiscard]] bool has_credential_mark(std::string_view text);

}  // namespace keyturn
