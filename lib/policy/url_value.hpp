#pragma once

#include "base/result.hpp"
#include "policy/value.hpp"

#include <string_view>

namespace keyturn {

/// These functions read the values that are URLs; a URL loses its trailing slash. Errors are
/// `Fault::invalid`; their text completes "`KEY` ...".
[[nodiscard]] Result<PolicyValue> read_https_url(std::string_view text);

/// Also `http://` to this host.
[[nodiscard]] Result<PolicyValue> read_store_url(std::string_view text);

/// `http://HOST[:PORT]`.
[[nodiscard]] Result<PolicyValue> read_proxy_url(std::string_view text);

}  // namespace keyturn
