#include "integration/peers/tls_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

namespace keyturn {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_error = asio::as_tuple(asio::use_awaitable);

std::unique_ptr<ssl::context> make_context(Welcome welcome, const CertificateWish& wish) {
    auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
    const Identity identity = make_identity(wish);
    context->use_certificate_chain(asio::buffer(identity.certificate));
    context->use_private_key(asio::buffer(identity.key), ssl::context::pem);
    if (welcome == Welcome::tls_1_1_only) {
        SSL_CTX* handle = context->native_handle();
        SSL_CTX_set_cipher_list(handle, "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(handle, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(handle, TLS1_1_VERSION);
    }
    if (welcome == Welcome::cbc_only) {
        SSL_CTX* handle = context->native_handle();
        SSL_CTX_set_cipher_list(handle, "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA");
        SSL_CTX_set_max_proto_version(handle, TLS1_2_VERSION);
    }
    return context;
}

/// True if a client that can agree with the server shakes hands.
bool shakes_hands(Welcome welcome) {
    return welcome == Welcome::tls || welcome == Welcome::tls_1_1_only ||
           welcome == Welcome::cbc_only;
}

/// How many bytes a request has, its body included; 0 while its head is not whole.
std::size_t request_size(const std::string& text) {
    const auto head = text.find("\r\n\r\n");
    if (head == std::string::npos) return 0;
    const auto field = text.find("Content-Length: ");
    if (field == std::string::npos || field > head) return head + 4;
    return head + 4 + std::stoul(text.substr(field + 16));
}

}  // namespace

Answer answer_of(int status, const std::string& body, const std::string& headers, Ending ending) {
    Answer answer;
    answer.bytes = fmt::format("HTTP/1.1 {} Text\r\n{}Content-Length: {}\r\n\r\n{}", status,
                               headers, body.size(), body);
    answer.ending = ending;
    return answer;
}

class TlsServer::Impl : public std::enable_shared_from_this<Impl> {
  public:
    Impl(asio::io_context& context, Welcome welcome, const CertificateWish& wish)
        : context_(context),
          welcome_(welcome),
          tls_(make_context(welcome, wish)),
          acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    void start() { spawn(accept(shared_from_this())); }

    std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
    void stop() { acceptor_.close(); }

    std::deque<Answer> script;
    Seen seen;

  private:
    using Stream = ssl::stream<tcp::socket>;

    void spawn(Task<> task) {
        auto report = [](std::exception_ptr error) { EXPECT_FALSE(error) << "the server threw"; };
        asio::co_spawn(context_, std::move(task), std::move(report));
    }

    Task<> accept(std::shared_ptr<Impl> self) {
        for (;;) {
            tcp::socket socket(context_);
            auto [error] = co_await acceptor_.async_accept(socket, as_error);
            if (error) co_return;
            ++seen.connections;
            auto stream = std::make_shared<Stream>(std::move(socket), *tls_);
            spawn(serve(self, std::move(stream)));
        }
    }

    Task<> serve(std::shared_ptr<Impl> self, std::shared_ptr<Stream> stream) {
        if (welcome_ == Welcome::stall) co_await wait_for_leave(stream);
        if (welcome_ == Welcome::plain) co_await answer_all(stream->next_layer());
        if (shakes_hands(welcome_)) {
            auto [error] = co_await stream->async_handshake(ssl::stream_base::server, as_error);
            const char* name =
                SSL_get_servername(stream->native_handle(), TLSEXT_NAMETYPE_host_name);
            self->seen.names.emplace_back(name == nullptr ? "" : name);
            if (!error) {
                ++self->seen.handshakes;
                co_await answer_all(*stream);
            }
        }
        ++self->seen.left;
    }

    Task<> wait_for_leave(std::shared_ptr<Stream> stream) {
        std::array<char, 4096> bytes{};
        const auto buffer = asio::buffer(bytes);
        for (;;) {
            auto [error, size] = co_await stream->next_layer().async_read_some(buffer, as_error);
            if (error) co_return;
        }
    }

    template <class AnyStream>
    Task<> answer_all(AnyStream& stream) {
        std::string input;
        for (;;) {
            const bool asked = co_await read_request(stream, input);
            if (!asked) co_return;
            if (script.empty()) {
                ADD_FAILURE() << "a request that the test did not expect: " << seen.requests.back();
                co_return;
            }
            const Answer answer = script.front();
            script.pop_front();
            co_await send_answer(stream, answer);
            if (answer.ending == Ending::half) close_half(stream);
            const bool waits = answer.ending == Ending::hang || answer.ending == Ending::half;
            if (waits) co_await read_request(stream, input);
            if (answer.ending == Ending::finish) co_await say_goodbye(stream);
            if (answer.ending != Ending::keep) co_return;
        }
    }

    template <class AnyStream>
    Task<bool> read_request(AnyStream& stream, std::string& input) {
        std::array<char, 4096> bytes{};
        const auto buffer = asio::buffer(bytes);
        while (request_size(input) == 0 || input.size() < request_size(input)) {
            auto [error, size] = co_await stream.async_read_some(buffer, as_error);
            if (error) co_return false;
            seen.application_bytes += size;
            input.append(bytes.data(), size);
        }
        seen.requests.push_back(input.substr(0, request_size(input)));
        input.erase(0, request_size(input));
        co_return true;
    }

    template <class AnyStream>
    Task<> send_answer(AnyStream& stream, const Answer& answer) {
        const std::size_t piece = answer.byte_pause.count() > 0 ? 1 : answer.bytes.size();
        asio::steady_timer timer(context_);
        do {
            for (std::size_t sent = 0; sent < answer.bytes.size(); sent += piece) {
                const auto buffer = asio::buffer(answer.bytes.data() + sent, piece);
                auto [error, size] = co_await asio::async_write(stream, buffer, as_error);
                if (error) co_return;
                if (answer.byte_pause.count() == 0) continue;
                timer.expires_after(answer.byte_pause);
                co_await timer.async_wait(as_error);
            }
        } while (answer.endless);
    }

    static void close_half(Stream& stream) { close_half(stream.next_layer()); }
    static void close_half(tcp::socket& socket) {
        error_code ignored;
        static_cast<void>(socket.shutdown(tcp::socket::shutdown_send, ignored));
    }

    /// Sends close_notify. The client's own is not waited for long: it may never come.
    Task<> say_goodbye(Stream& stream) {
        using namespace asio::experimental::awaitable_operators;
        asio::steady_timer timer(context_, std::chrono::milliseconds(5));
        auto farewell = stream.async_shutdown(as_error);
        auto patience = timer.async_wait(as_error);
        co_await (std::move(farewell) || std::move(patience));
    }
    Task<> say_goodbye(tcp::socket&) { co_return; }

    asio::io_context& context_;
    Welcome welcome_;
    std::unique_ptr<ssl::context> tls_;
    tcp::acceptor acceptor_;
};

TlsServer::TlsServer(asio::io_context& context, Welcome welcome, const CertificateWish& certificate)
    : impl_(std::make_shared<Impl>(context, welcome, certificate)) {
    impl_->start();
}

TlsServer::~TlsServer() {
    impl_->stop();
}

std::string TlsServer::port() const {
    return impl_->port();
}
void TlsServer::will(Answer answer) {
    impl_->script.push_back(std::move(answer));
}
void TlsServer::stop() {
    impl_->stop();
}
const TlsServer::Seen& TlsServer::seen() const {
    return impl_->seen;
}

}  // namespace keyturn
