#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/url.hpp"
#include "http/proxy.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// One more header of a request. Its value may be a credential.
struct HttpHeader {
    std::string name;
    Secret value;  ///< Printable ASCII.
};

struct HttpRequest {
    std::string method = "GET";
    std::string target = "/";
    Secret bearer;  ///< Sent as "Authorization: Bearer ..." unless empty.
    Secret body;
    std::string content_type = "application/json";  ///< Sent if there is a body.
    std::string accept = "application/json";
    std::vector<HttpHeader> headers{};  ///< In addition to those that the client makes.
};

struct HttpResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< Names in lower case.
    Secret body;  ///< Any body may hold a token, so every body is a secret.

    /// The first header with that lower-case name, or "".
    [[nodiscard]] std::string header(std::string_view name) const;
};

/// The limits of one exchange. Every step has its own deadline, so no step can last for ever.
struct HttpLimits {
    std::chrono::milliseconds resolve{5'000};
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds handshake{10'000};
    std::chrono::milliseconds exchange{30'000};  ///< From the first byte sent to the last received.
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 512 * 1024;  ///< While a body grows, it uses three times this.
};

/// HTTP/1.1 with a few kept connections. Verifies the peer and its host name, follows no
/// redirects, sends nothing after a failed handshake, and treats a truncated body as a failure. It
/// never retries, with one safe exception: if the server closed a kept connection before any byte
/// of the answer, a GET is repeated once on a new connection. (A kept connection that is found
/// closed before anything is sent is replaced for every method.)
///
/// Faults: `unreachable` if the request certainly was not processed (resolve, connect, the tunnel
/// through a proxy, handshake);
/// `ambiguous` if it was sent and no complete answer came; `invalid` for an answer over the limits
/// or outside the protocol, and for a request that must not be sent (no TLS beyond this host,
/// control characters); `denied` for a certificate that does not verify, and for a proxy that wants
/// another login; `cancelled` if the caller
/// was cancelled: the connection is then closed, and a request that was already sent may have been
/// processed.
///
/// Several sends may run at once, each on its own connection. The client must outlive them.
class HttpClient {
  public:
    virtual ~HttpClient() = default;

    virtual Task<Result<HttpResponse>> send(HttpOrigin origin, HttpRequest request) = 0;

    /// Closes the kept connections, frees the TLS context, and gives freed memory back to the
    /// kernel, which glibc would keep until the next call a day later. The next `send` makes new
    /// ones.
    virtual void close_idle() = 0;
};

struct HttpClientOptions {
    std::string ca_file;  ///< PEM file; empty for the system's certificate authorities.
    /// PEM files of the certificate that the client shows, and of its private key; empty for none.
    /// They are read again with the first connection after `close_idle`.
    std::string cert_file{};
    std::string key_file{};
    HttpLimits limits;
    std::string user_agent = "keyturn/" KEYTURN_VERSION;
    /// Allows requests without TLS not only to loopback but to each address of this host. The
    /// connection comes from the address that it goes to, which no other host can have.
    bool plain_to_own_addresses = false;
    /// For the next request to the same origin.
    std::size_t connections_kept = 1;
    /// For the requests that need one. The proxy looks up the name of the server.
    ProxyChoice proxy = std::shared_ptr<const HttpProxy>();
    std::string name_servers;  ///< "192.0.2.1:53,...", instead of those in /etc/resolv.conf.
};

[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(boost::asio::any_io_executor executor,
                                                           HttpClientOptions options);

}  // namespace keyturn
