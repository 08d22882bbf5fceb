// The whole way to a connector: the kernel's list, the HTTP client and a server.
#include "cloudflared/connectors.hpp"
#include "http/http_client.hpp"
#include "integration/peers/private_bus.hpp"
#include "integration/sockets/listeners.hpp"
#include "sockets/socket_owner.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using boost::asio::ip::tcp;
using ::testing::HasSubstr;

/// Answers /ready, and nothing else, on an address of its own.
class ReadyServer {
  public:
    ReadyServer(boost::asio::io_context& context, UniqueFd socket)
        : acceptor_(context, tcp::v4(), socket.release()) {
        boost::asio::co_spawn(context, serve(), [](std::exception_ptr) {});
    }

    int answered = 0;

  private:
    Task<> serve() {
        for (;;) {
            tcp::socket peer = co_await acceptor_.async_accept(boost::asio::use_awaitable);
            std::string request;
            auto into = boost::asio::dynamic_buffer(request);
            co_await boost::asio::async_read_until(peer, into, "\r\n\r\n",
                                                   boost::asio::use_awaitable);
            const std::string answer = request.starts_with("GET /ready ") ? ready() : absent();
            const auto bytes = boost::asio::buffer(answer);
            co_await boost::asio::async_write(peer, bytes, boost::asio::use_awaitable);
            ++answered;
        }
    }

    static std::string absent() {
        return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    }
    static std::string ready() {
        const std::string body = R"({"status":200,"readyConnections":4,)"
                                 R"("connectorId":"9f0a2c3e-1111-4222-8333-abcdef012345"})";
        return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    tcp::acceptor acceptor_;
};

/// Gives the loopback interface one more address, which is none of loopback's own.
void add_address(const char* address) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo:1");
    sockaddr_in name{};
    name.sin_family = AF_INET;
    ASSERT_EQ(::inet_pton(AF_INET, address, &name.sin_addr), 1);
    std::memcpy(&request.ifr_addr, &name, sizeof name);
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFADDR, &request), 0) << std::strerror(errno);
}

class ConnectorsOverHttpTest : public ::testing::Test {
  protected:
    Result<Readiness> readiness(const char* address, std::uint16_t port) {
        const auto listener = listener_at({address, std::to_string(port)});
        EXPECT_TRUE(listener && *listener);
        UnitState unit;
        unit.name = "web@1.service";
        unit.control_group_id = (*listener)->control_group.value_or(0);
        return run(context_, connectors_->readiness(unit));
    }

    boost::asio::io_context context_{1};
    std::unique_ptr<HttpClient> http_ =
        make_http_client(context_.get_executor(), connector_http_options());
    std::unique_ptr<Connectors> connectors_ = make_connectors(*http_);
};

TEST_F(ConnectorsOverHttpTest, ServerOnAnotherAddressOfThisHostIsAsked) {
    add_address("192.0.2.1");
    ReadyServer server(context_, listen_anywhere(AF_INET, "192.0.2.1", 20'241));
    const Result<Readiness> readiness = this->readiness("192.0.2.1", 20'241);
    ASSERT_TRUE(readiness) << readiness.error().text;
    EXPECT_EQ(readiness->connections, 4);
    EXPECT_EQ(server.answered, 2);
    ASSERT_TRUE(this->readiness("192.0.2.1", 20'241));
    EXPECT_EQ(server.answered, 3) << "/diag/tunnel is asked once, also where it is not served";
}

TEST_F(ConnectorsOverHttpTest, AddressOfAnotherHostIsNotAsked) {
    const UniqueFd socket = listen_anywhere(AF_INET, "198.51.100.1", 20'241);
    const Result<Readiness> readiness = this->readiness("198.51.100.1", 20'241);
    ASSERT_FALSE(readiness);
    EXPECT_THAT(readiness.error().text, HasSubstr("198.51.100.1:20241"));
    EXPECT_THAT(readiness.error().text, HasSubstr("not an address of this host"));
}

TEST_F(ConnectorsOverHttpTest, SilentServerIsTheReason) {
    const Listener listener;
    const Result<Readiness> readiness = this->readiness("127.0.0.1", listener.port);
    ASSERT_FALSE(readiness);
    EXPECT_EQ(readiness.error().fault, Fault::unreachable);
    EXPECT_THAT(readiness.error().text, HasSubstr("127.0.0.1:" + std::to_string(listener.port)));
    EXPECT_THAT(readiness.error().text, HasSubstr("no complete answer within 1500 ms"));
}

}  // namespace
}  // namespace keyturn::testing
