#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "http/http_client.hpp"
#include "http/resolver.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace keyturn {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// What every TLS connection of a client shares: the authorities to trust, TLS 1.2 at least, and
/// plaintext that OpenSSL wipes after use.
[[nodiscard]] Result<TlsContext> make_tls_context(const std::string& ca_file);

/// One TCP connection, with TLS where the origin says so. `connect` first, then `secure` if the
/// origin wants TLS, then `write` and `read`. Destroying it at any moment closes it.
class Connection {
  public:
    struct Transfer {
        boost::system::error_code error;
        std::size_t size = 0;
    };

    Connection(const boost::asio::any_io_executor& executor, HttpOrigin origin);

    [[nodiscard]] const HttpOrigin& origin() const { return origin_; }

    /// Tries the addresses in order; together they take `limit` at most.
    Task<Result<void>> connect(Addresses addresses, std::chrono::milliseconds limit);

    /// The TLS handshake. On an error nothing of a request has been sent.
    Task<Result<void>> secure(TlsContext context, std::chrono::milliseconds limit);

    /// Writes all of `bytes`, which have to outlive the call.
    Task<Transfer> write(std::string_view bytes);

    /// Reads at least one byte into `space`, or fails; `eof` only for an orderly end.
    Task<Transfer> read(std::span<char> space);

    /// True when nothing has come on an idle connection: neither its end nor stray bytes.
    [[nodiscard]] bool is_quiet();

  private:
    using Stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;

    boost::system::error_code bind_to(const boost::asio::ip::tcp::endpoint& endpoint);
    Task<boost::system::error_code> connect_to(boost::asio::ip::tcp::endpoint endpoint);
    Task<boost::system::error_code> shake_hands();

    HttpOrigin origin_;
    boost::asio::ip::tcp::socket socket_;
    std::optional<Stream> tls_;
};

}  // namespace keyturn
