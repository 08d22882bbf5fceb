#pragma once

#include "asio/task.hpp"
#include "integration/peers/certificates.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

/// How the server treats one connection before any request.
enum class Welcome { tls, plain, tls_1_1_only, cbc_only, stall, hang_up };

/// What follows an answer.
enum class Ending {
    keep,    ///< The next request on the same connection.
    finish,  ///< close_notify, then the end of the connection.
    cut,     ///< The end of the connection without close_notify.
    hang,    ///< Nothing, until the client leaves.
    half,    ///< The end of what the server sends, without close_notify; it goes on listening.
};

/// One answer of the script. Its bytes are sent as they are.
struct Answer {
    std::string bytes;
    Ending ending = Ending::keep;
    bool endless = false;                     ///< `bytes` again and again, until the client leaves.
    std::chrono::milliseconds byte_pause{0};  ///< Between single bytes; zero sends all at once.
};

/// A whole answer with a length.
[[nodiscard]] Answer answer_of(int status, const std::string& body, const std::string& headers = "",
                               Ending ending = Ending::keep);

/// An HTTPS server on a loopback port that does what the test says, one answer a request, over all
/// connections. It lives in the test's own io_context.
class TlsServer {
  public:
    TlsServer(boost::asio::io_context& context, Welcome welcome = Welcome::tls,
              const CertificateWish& certificate = {});
    ~TlsServer();

    [[nodiscard]] std::string port() const;
    void will(Answer answer);

    /// Stops accepting; the port then refuses connections.
    void stop();

    /// What the server has seen so far.
    struct Seen {
        std::vector<std::string> requests;  ///< Head and body of each whole request.
        std::vector<std::string> names;     ///< SNI of each handshake, "" for none.
        std::size_t connections = 0;
        std::size_t handshakes = 0;
        std::size_t application_bytes = 0;  ///< Read from clients after a handshake.
        std::size_t left = 0;               ///< Connections that have ended.
    };
    [[nodiscard]] const Seen& seen() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn
