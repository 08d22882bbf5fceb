#include "http/connection.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/url.hpp"
#include "http/connect_race.hpp"
#include "http/deadline.hpp"
#include "http/tunnel_request.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <sys/socket.h>
#include <tuple>

namespace keyturn {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_error = asio::as_tuple(asio::use_awaitable);

/// Tells OpenSSL which name the certificate must have. This uses OpenSSL's own check, because its
/// error is "hostname mismatch", while a callback of ours would give "unspecified error".
bool expect_peer(SSL* handle, const std::string& host) {
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    X509_VERIFY_PARAM* rules = SSL_get0_param(handle);
    if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // SSL_set_tlsext_host_name() without the cast inside the macro; OpenSSL copies the name.
    std::string name = host;
    return X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size()) == 1 &&
           SSL_ctrl(handle, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) ==
               1;
}

Error handshake_failure(const std::string& peer, SSL* handle, const error_code& error) {
    const long verified = SSL_get_verify_result(handle);
    if (verified != X509_V_OK) {
        return Error{Fault::denied, fmt::format("the certificate of {} is not accepted: {}", peer,
                                                X509_verify_cert_error_string(verified))};
    }
    return Error{Fault::unreachable, fmt::format("the TLS handshake with {} failed: {} (TLS 1.2 or "
                                                 "newer is needed)",
                                                 peer, error.message())};
}

}  // namespace

Connection::Connection(const asio::any_io_executor& executor, HttpOrigin origin,
                       std::shared_ptr<const HttpProxy> proxy)
    : origin_(std::move(origin)), proxy_(std::move(proxy)), socket_(executor) {}

/// Whom an error is about.
std::string Connection::peer() const {
    if (!proxy_) return authority_of(origin_);
    return fmt::format("{} (through {})", authority_of(origin_), name_of(*proxy_));
}

Task<Result<void>> Connection::connect(Addresses addresses, std::chrono::milliseconds limit) {
    const HttpOrigin& target = proxy_ ? proxy_->origin : origin_;
    const std::string name = proxy_ ? name_of(*proxy_) : authority_of(origin_);
    const auto port = to_number<std::uint16_t>(target.port).value_or(0);
    std::vector<tcp::endpoint> endpoints;
    for (const auto& address : addresses) endpoints.emplace_back(address, port);
    RaceOptions options;
    options.limit = limit;
    options.from_itself = !origin_.tls && !proxy_;
    auto winner = co_await connect_to_first(std::move(endpoints), options);
    const auto failed = [&name](const std::string& why) {
        return Error{Fault::unreachable, fmt::format("cannot connect to {} ({})", name, why)};
    };
    if (!winner) co_return failed(winner.error().text);
    socket_ = std::move(*winner);
    // The handshake ends with a small write, and the request is the next one. Without this option
    // the request would wait for the acknowledgement of the handshake (Nagle's algorithm).
    error_code failure;
    socket_.set_option(tcp::no_delay(true), failure);
    if (failure) co_return failed(failure.message());
    co_return Result<void>();
}

Task<Result<void>> Connection::ask_proxy(const Secret& text) {
    const std::string_view request = text.reveal();
    const auto sending = asio::buffer(request);
    const auto [failure, sent] = co_await asio::async_write(socket_, sending, as_error);
    std::string answer(tunnel_answer_size_max, '\0');
    std::size_t size = 0;
    std::optional<Result<void>> judged;
    error_code error = failure;
    while (!error && !judged) {
        const auto space = asio::buffer(answer.data() + size, answer.size() - size);
        std::size_t got = 0;
        std::tie(error, got) = co_await socket_.async_read_some(space, as_error);
        size += got;
        judged = read_tunnel_answer({answer.data(), size}, origin_, *proxy_);
    }
    if (judged) co_return *judged;
    const bool closed = error == asio::error::eof || error == asio::error::connection_reset ||
                        error == asio::error::broken_pipe;
    const std::string why =
        closed ? "closed the connection without a whole answer to CONNECT" : error.message();
    co_return Error{Fault::unreachable, fmt::format("{} {}", name_of(*proxy_), why)};
}

Task<Result<void>> Connection::tunnel(std::string_view user_agent,
                                      std::chrono::milliseconds limit) {
    const auto text = tunnel_request(origin_, *proxy_, user_agent);
    if (!text) co_return text.error();
    auto work = ask_proxy(*text);
    auto answer = co_await with_deadline(limit, std::move(work));
    if (answer) co_return *answer;
    co_return Error{Fault::unreachable,
                    fmt::format("{} gave no connection to {} within {} ms", name_of(*proxy_),
                                authority_of(origin_), limit.count())};
}

Task<error_code> Connection::shake_hands() {
    auto [error] = co_await tls_->async_handshake(ssl::stream_base::client, as_error);
    co_return error;
}

Task<Result<void>> Connection::secure(TlsContext context, std::chrono::milliseconds limit) {
    tls_.emplace(socket_, *context);
    if (!expect_peer(tls_->native_handle(), origin_.host)) {
        co_return Error{Fault::invalid,
                        fmt::format("'{}' cannot be the name in a certificate", origin_.host)};
    }
    auto work = shake_hands();
    const auto error = co_await with_deadline(limit, std::move(work));
    if (!error) {
        co_return Error{Fault::unreachable,
                        fmt::format("{} did not finish the TLS handshake in time", peer())};
    }
    if (*error) co_return handshake_failure(peer(), tls_->native_handle(), *error);
    co_return Result<void>();
}

Task<Connection::Transfer> Connection::write(std::string_view bytes) {
    const auto buffer = asio::buffer(bytes);
    Transfer done;
    if (tls_) {
        std::tie(done.error, done.size) = co_await asio::async_write(*tls_, buffer, as_error);
    } else {
        std::tie(done.error, done.size) = co_await asio::async_write(socket_, buffer, as_error);
    }
    co_return done;
}

Task<Connection::Transfer> Connection::read(std::span<char> space) {
    const auto buffer = asio::buffer(space.data(), space.size());
    Transfer done;
    if (tls_) {
        std::tie(done.error, done.size) = co_await tls_->async_read_some(buffer, as_error);
    } else {
        std::tie(done.error, done.size) = co_await socket_.async_read_some(buffer, as_error);
    }
    co_return done;
}

bool Connection::is_quiet() {
    if (tls_ && SSL_has_pending(tls_->native_handle()) == 1) return false;
    char byte = 0;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace keyturn
