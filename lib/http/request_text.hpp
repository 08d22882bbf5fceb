#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/http_client.hpp"

#include <string_view>

namespace keyturn {

/// The bytes of one HTTP/1.1 request, in one block: a single write of one block is not copied on
/// its way into TLS, and the block, which holds the credential, is wiped with the `Secret`.
/// `Fault::invalid` for anything that could begin a second header or a second request.
[[nodiscard]] Result<Secret> request_text(const HttpOrigin& origin, const HttpRequest& request,
                                          std::string_view user_agent);

}  // namespace keyturn
