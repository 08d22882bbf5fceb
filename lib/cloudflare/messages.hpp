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

/// What a body is, before anybody looks into it.
enum class BodyForm { empty, json, page, other };

/// What a body says about a failure. Bodies of every kind are accepted: Cloudflare's envelope, its
/// short form {"code", "error"|"message"}, HTML, nothing.
struct ApiErrors {
    std::vector<std::int64_t> codes;  ///< In order, those of error chains included.
    std::string text;  ///< `10000 "Authentication error"`, bounded and safe to log; may be empty.
    BodyForm form = BodyForm::empty;

    [[nodiscard]] bool has_any(std::initializer_list<std::int64_t> wanted) const;
};

[[nodiscard]] ApiErrors parse_errors(std::string_view body);

// The bodies of 2xx answers. Each is `Fault::invalid` when the body is not an envelope that reports
// success, or when `result` is not what the call returns. Unknown members are ignored.

[[nodiscard]] Result<TunnelFacts> parse_tunnel(std::string_view body);

/// `result` is the token itself.
[[nodiscard]] Result<Secret> parse_token(std::string_view body);

/// `result` is a tunnel, perhaps with `token`; a result without one, or none at all, is a success.
[[nodiscard]] Result<std::optional<Secret>> parse_patched(std::string_view body);

/// `result` is an array, or null when there is none. Connections that only wait for a reconnect do
/// not count; a connector that has no other is left out. One whose connections are not told at all
/// stays in, with a count of 0.
[[nodiscard]] Result<std::vector<Connector>> parse_connectors(std::string_view body);

inline constexpr std::size_t api_token_answer_size_max = 8 * 1024;

}  // namespace keyturn
