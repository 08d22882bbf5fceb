#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "model/api_token.hpp"
#include "time/moment.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

class HttpClient;

/// Asks Cloudflare whether an API token is valid (GET tokens/verify), which changes nothing and
/// needs no permission. A token of an account is unknown to the call for tokens of users, and the
/// reverse, so both may be asked. Fails only if there was no answer at all. `http` must outlive the
/// call.
[[nodiscard]] Task<Result<ApiTokenCheck>> check_api_token(HttpClient& http, std::string api_url,
                                                          Secret api_token, std::string account);

/// Reads one answer of these calls. Pure.
[[nodiscard]] ApiTokenCheck read_token_check(int status, std::string_view body);

/// True if the token expires within 30 days: long enough to create another one without haste. Pure.
[[nodiscard]] bool expires_soon(const ApiTokenCheck& check, WallTime now);

/// "2026-12-01T00:00:00Z", with a fraction of seconds or an offset. Pure.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace keyturn
