#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "model/connector.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What kind of text a body is.
enum class BodyForm { empty, json, page, other };

/// What a body says about a failure. Accepts any body: Cloudflare's envelope, its short form
/// {"code", "error"|"message"}, HTML, nothing.
struct ApiErrors {
    std::vector<std::int64_t> codes;  ///< In order, including those of error chains.
    std::string text;  ///< `10000 "Authentication error"`, bounded and safe to log; may be empty.
    BodyForm form = BodyForm::empty;
};

[[nodiscard]] ApiErrors parse_errors(std::string_view body);

// These functions parse the bodies of 2xx answers. They fail with `Fault::invalid` if the body is
// not an envelope that reports success, or if `result` is not what the call returns. They ignore
// unknown members.

[[nodiscard]] Result<TunnelFacts> parse_tunnel(std::string_view body);

/// `result` is the token itself.
[[nodiscard]] Result<Secret> parse_token(std::string_view body);

/// `result` is a tunnel, perhaps with `token`. A result without one, or no result, is a success
/// too.
[[nodiscard]] Result<std::optional<Secret>> parse_patched(std::string_view body);

/// `result` is an array, or null if there is none. Connections that are only waiting for a
/// reconnect do not count, and a connector with no others is left out. A connector without a list
/// of connections stays in, with a count of 0.
[[nodiscard]] Result<std::vector<Connector>> parse_connectors(std::string_view body);

/// The most bytes that a token in an answer may have. Real tokens have about 200.
inline constexpr std::size_t api_token_answer_size_max = 8 * 1024;

}  // namespace keyturn
