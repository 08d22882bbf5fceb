#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "http/http_client.hpp"
#include "http/proxy.hpp"
#include "http/resolver.hpp"
#include "http/tls_context.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace keyturn {

/// One TCP connection, with TLS if the origin requires it, and through a proxy if there is one.
/// Call `connect` first, then `tunnel` for a proxy, `secure` for TLS, then `write` and `read`. The
/// destructor closes it at any moment.
class Connection {
  public:
    struct Transfer {
        boost::system::error_code error;
        std::size_t size = 0;
    };

    Connection(const boost::asio::any_io_executor& executor, HttpOrigin origin,
               std::shared_ptr<const HttpProxy> proxy = nullptr);

    [[nodiscard]] const HttpOrigin& origin() const { return origin_; }

    /// Connects to the first address that answers, within `limit`: those of the proxy, if there is
    /// one.
    Task<Result<void>> connect(Addresses addresses, std::chrono::milliseconds limit);

    /// Has the proxy connect to the origin. After an error, nothing of a request has been sent.
    Task<Result<void>> tunnel(std::string_view user_agent, std::chrono::milliseconds limit);

    /// Performs the TLS handshake. After an error, nothing of a request has been sent.
    Task<Result<void>> secure(TlsContext context, std::chrono::milliseconds limit);

    /// Writes all of `bytes`, which must outlive the call.
    Task<Transfer> write(std::string_view bytes);

    /// Reads at least one byte into `space`, or fails. The error is `eof` only for an orderly end.
    Task<Transfer> read(std::span<char> space);

    /// True if nothing has arrived on an idle connection, neither its end nor unexpected bytes.
    [[nodiscard]] bool is_quiet();

  private:
    using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;

    Task<boost::system::error_code> shake_hands();
    Task<Result<void>> ask_proxy(const Secret& text);
    [[nodiscard]] std::string peer() const;

    HttpOrigin origin_;
    std::shared_ptr<const HttpProxy> proxy_;
    boost::asio::ip::tcp::socket socket_;
    std::optional<Stream> tls_;
};

}  // namespace keyturn
