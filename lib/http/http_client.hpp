#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// Where a request goes. `tls` false is for this host only (a connector's /ready).
struct HttpOrigin {
    std::string host;
    std::string port;
    bool tls = true;

    bool operator==(const HttpOrigin&) const = default;
};

struct HttpRequest {
    std::string method = "GET";
    std::string target = "/";
    Secret bearer;  ///< Sent as "Authorization: Bearer ..." when not empty.
    Secret body;    ///< Sent as application/json when not empty.
};

struct HttpResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.
    Secret body;  ///< Any body may hold a token, so every body is a secret.

    /// The first header of that lower-case name, or "".
    [[nodiscard]] std::string header(std::string_view name) const;
};

/// The limits of one exchange. Every step has its own deadline; none of them is unbounded.
struct HttpLimits {
    std::chrono::milliseconds resolve{5'000};
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds handshake{10'000};
    std::chrono::milliseconds exchange{30'000};  ///< From the first byte sent to the last received.
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 512 * 1024;  ///< While it grows, three times this is in use.
};

/// HTTP/1.1 with at most one kept connection. Verifies peer and host name, follows no redirect,
/// sends nothing after a failed handshake, treats a truncated body as a failure. Never retries,
/// with one exception that is safe: a kept connection that the server had closed before a byte of
/// the answer came is opened anew once, for GET only. (A kept connection that is seen to be closed
/// before anything is sent is replaced for every method.)
///
/// Faults: `unreachable` when the request certainly was not processed (resolve, connect,
/// handshake), `ambiguous` when it was sent and no whole answer came, `invalid` for an answer over
/// the limits or outside the protocol and for a request that must not be sent (no TLS beyond
/// loopback, control characters), `denied` for a certificate that does not verify, `cancelled` when
/// the caller was cancelled: the connection is closed, and a request that had been sent may have
/// been processed.
///
/// Several sends may run at once, each on a connection of its own. The client outlives them.
class HttpClient {
  public:
    virtual ~HttpClient() = default;

    virtual Task<Result<HttpResponse>> send(HttpOrigin origin, HttpRequest request) = 0;

    /// Closes the kept connection and frees the TLS context; the next `send` makes them anew.
    virtual void close_idle() = 0;
};

struct HttpClientOptions {
    std::string ca_file;  ///< Empty: the system's certificate authorities.
    HttpLimits limits;
    std::string user_agent = "keyturn/" KEYTURN_VERSION;
    /// Without TLS not only to loopback, but to each address of this host: the connection comes
    /// from the address that it goes to, which no other host can have.
    bool plain_to_own_addresses = false;
    std::string name_servers;  ///< "192.0.2.1:53,...": instead of those of /etc/resolv.conf.
};

[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(boost::asio::any_io_executor executor,
                                                           HttpClientOptions options);

}  // namespace keyturn
