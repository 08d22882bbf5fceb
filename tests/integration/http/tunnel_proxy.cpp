#include "integration/http/tunnel_proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <array>

namespace keyturn {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto as_error = asio::as_tuple(asio::use_awaitable);

}  // namespace

class TunnelProxy::Impl {
  public:
    Impl(asio::io_context& context, const std::string& port_behind)
        : context_(context),
          behind_(asio::ip::address_v4::loopback(),
                  static_cast<std::uint16_t>(std::stoul(port_behind))),
          acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    Task<> serve(std::shared_ptr<Impl> self) {
        for (;;) {
            auto socket = std::make_shared<tcp::socket>(context_);
            auto [error] = co_await acceptor_.async_accept(*socket, as_error);
            if (error) co_return;
            spawn(lead(self, std::move(socket)));
        }
    }

    void spawn(Task<> task) {
        auto report = [](std::exception_ptr error) { EXPECT_FALSE(error) << "the proxy threw"; };
        asio::co_spawn(context_, std::move(task), std::move(report));
    }

    std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
    void stop() { acceptor_.close(); }

    std::vector<std::string> requests;
    std::string passed;

  private:
    Task<> lead(std::shared_ptr<Impl> self, std::shared_ptr<tcp::socket> client) {
        std::string head;
        std::array<char, 1024> bytes{};
        const auto space = asio::buffer(bytes);
        while (head.find("\r\n\r\n") == std::string::npos) {
            auto [error, size] = co_await client->async_read_some(space, as_error);
            if (error) co_return;
            head.append(bytes.data(), size);
        }
        requests.push_back(head);
        auto server = std::make_shared<tcp::socket>(context_);
        auto [failure] = co_await server->async_connect(behind_, as_error);
        if (failure) co_return;
        const std::string answer = "HTTP/1.0 200 Connection established\r\nVia: test\r\n\r\n";
        const auto sending = asio::buffer(answer);
        co_await asio::async_write(*client, sending, as_error);
        spawn(pump(self, server, client, nullptr));
        co_await pump(self, client, server, &passed);
    }

    Task<> pump(std::shared_ptr<Impl> /*self*/, std::shared_ptr<tcp::socket> from,
                std::shared_ptr<tcp::socket> to, std::string* record) {
        std::array<char, 4096> bytes{};
        for (;;) {
            const auto space = asio::buffer(bytes);
            auto [error, size] = co_await from->async_read_some(space, as_error);
            if (error) break;
            if (record != nullptr) record->append(bytes.data(), size);
            const auto sending = asio::buffer(bytes.data(), size);
            auto [failure, sent] = co_await asio::async_write(*to, sending, as_error);
            if (failure) break;
        }
        boost::system::error_code ignored;
        static_cast<void>(to->shutdown(tcp::socket::shutdown_both, ignored));
    }

    asio::io_context& context_;
    tcp::endpoint behind_;
    tcp::acceptor acceptor_;
};

TunnelProxy::TunnelProxy(asio::io_context& context, const std::string& port_behind)
    : impl_(std::make_shared<Impl>(context, port_behind)) {
    impl_->spawn(impl_->serve(impl_));
}

TunnelProxy::~TunnelProxy() {
    impl_->stop();
}

std::string TunnelProxy::port() const {
    return impl_->port();
}
const std::vector<std::string>& TunnelProxy::requests() const {
    return impl_->requests;
}
const std::string& TunnelProxy::passed() const {
    return impl_->passed;
}

}  // namespace keyturn
