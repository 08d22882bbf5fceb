#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// Text that a server wrote, made fit for a log line: printable ASCII only, cut at `size_max`, and
/// whatever could be a credential (eyJ..., cfat_..., any long run of base64) replaced by
/// "[redacted]". A path with ids in it may fall victim to that; a secret may not slip through.
[[nodiscard]] std::string safe_text(std::string_view text, std::size_t size_max);

}  // namespace keyturn
