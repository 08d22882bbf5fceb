#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// Text that a server wrote, made fit for a log line: printable ASCII only, cut at `size_max`, and
/// whatever could be a credential (eyJ..., cfat_..., any long run of base64) replaced by
/// "[redacted]". Ids of accounts, tunnels and connectors stay, also in a path: people compare them.
[[nodiscard]] std::string safe_text(std::string_view text, std::size_t size_max);

}  // namespace keyturn
