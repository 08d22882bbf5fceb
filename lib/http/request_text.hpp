#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/http_client.hpp"

#include <string_view>

namespace keyturn {

/// The bytes of one HTTP/1.1 request in a single block. TLS does not copy the block of a single
/// write, and the block, which contains the credential, is wiped with the `Secret`. Fails with
/// `Fault::invalid` for anything that could begin a second header or a second request.
[[nodiscard]] Result<Secret> request_text(const HttpOrigin& origin, const HttpRequest& request,
                                          std::string_view user_agent);

}  // namespace keyturn
