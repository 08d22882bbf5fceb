#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// Where a request goes. Without `tls` it must stay on this host (a connector's /ready).
struct HttpOrigin {
    std::string host;
    std::string port;
    bool tls = true;

    bool operator==(const HttpOrigin&) const = default;
};

/// The parts of the address of an HTTP API.
struct HttpUrl {
    HttpOrigin origin;
    std::string base_path;  ///< "" or "/client/v4"; never ends in a slash.

    bool operator==(const HttpUrl&) const = default;
};

/// Reads `https://host[:port][/base/path]`. Accepts `http:` only for loopback, because a request
/// carries a credential. Refuses a user name, a query or a fragment instead of ignoring it. Errors
/// are `Fault::invalid`.
[[nodiscard]] Result<HttpUrl> parse_url(std::string_view text);

/// Reads `http://host[:port]` of an HTTP proxy; a slash may follow. The port is 80 unless it is
/// named. A user name has to be taken out before. Errors are `Fault::invalid` and do not quote
/// the text.
[[nodiscard]] Result<HttpOrigin> parse_proxy_url(std::string_view text);

/// True for 127.0.0.0/8, ::1 and "localhost".
[[nodiscard]] bool is_loopback(std::string_view host);

/// "host", "host:8443" or "[::1]:8443". The port is left out if it is the scheme's default.
[[nodiscard]] std::string authority_of(const HttpOrigin& origin);

/// Percent-encodes everything that has a meaning in a path, so that a value stays one segment.
[[nodiscard]] std::string path_segment(std::string_view value);

}  // namespace keyturn
