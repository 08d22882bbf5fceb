#include "integration/http/name_server.hpp"
#include "integration/peers/https_test.hpp"

#include <boost/asio/ip/tcp.hpp>

namespace keyturn {
namespace {

class Resolve : public HttpsTest {
  protected:
    HttpOrigin named(const std::string& host) const { return {host, server->port(), true}; }
};

TEST_F(Resolve, AsksTheNameServer) {
    NameServer names(context, NameAnswer::loopback);
    options.name_servers = names.address();
    CertificateWish wish;
    wish.names = "DNS:api.keyturn.test";
    serve(Welcome::tls, wish);
    server->will(answer_of(200, "x"));
    const auto outcome = send_to(named("api.keyturn.test"));
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_GE(names.questions(), 1);
    EXPECT_THAT(server->seen().names, testing::ElementsAre("api.keyturn.test"));
}

TEST_F(Resolve, AsksNoNameServerForAnAddressOrAHostsEntry) {
    NameServer names(context, NameAnswer::silence);
    options.name_servers = names.address();
    serve();
    server->will(answer_of(200, "x"));
    server->will(answer_of(200, "x"));
    ASSERT_TRUE(send("GET", "127.0.0.1"));
    // /etc/hosts knows localhost by its IPv4 address only, or by both; the server has only that
    // one.
    const auto outcome = send("GET", "localhost");
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(names.questions(), 0);
}

TEST_F(Resolve, SaysThatANameDoesNotExist) {
    NameServer names(context, NameAnswer::no_such_name);
    options.name_servers = names.address();
    serve();
    expect_fault(send_to(named("api.keyturn.test")), Fault::unreachable,
                 "cannot find the address of api.keyturn.test: the name does not exist");
    EXPECT_LT(took, at_once);
    EXPECT_EQ(server->seen().connections, 0U);
}

TEST_F(Resolve, GivesUpOnASilentNameServer) {
    options.limits.resolve = short_limit;
    NameServer names(context, NameAnswer::silence);
    options.name_servers = names.address();
    serve();
    expect_fault(send_to(named("api.keyturn.test")), Fault::unreachable,
                 "no name server returned the address of api.keyturn.test within 200 ms");
    EXPECT_GE(names.questions(), 1);
    expect_took_short_limit();
}

TEST_F(Resolve, EndsAtOnceWhenItsCallerIsCancelled) {
    NameServer names(context, NameAnswer::silence);
    options.name_servers = names.address();
    serve();
    start(named("api.keyturn.test"), "GET");
    ASSERT_TRUE(comes_true([&] { return names.questions() >= 1; }));
    signal.emit(boost::asio::cancellation_type::terminal);
    expect_fault(outcome_of_start(), Fault::cancelled, "stopped before the answer came");
    EXPECT_LT(took, at_once);
}

TEST_F(Resolve, RefusesNameServersThatAreNone) {
    options.name_servers = "not an address";
    serve();
    expect_fault(send_to(named("api.keyturn.test")), Fault::invalid, "not a list of address:port");
}

TEST_F(Resolve, SaysThatAConnectionIsRefused) {
    serve();
    const HttpOrigin origin = named("127.0.0.1");
    server->stop();
    expect_fault(send_to(origin, "PATCH"), Fault::unreachable, "Connection refused");
    EXPECT_LT(took, at_once);
}

/// A listening socket whose queue is full: the kernel drops further SYNs, as a black hole would.
TEST_F(Resolve, GivesUpOnAServerThatDoesNotAccept) {
    options.limits.connect = short_limit;
    using boost::asio::ip::tcp;
    tcp::acceptor full(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    full.listen(0);
    std::deque<tcp::socket> fillers;
    for (int i = 0; i < 8; ++i) {
        auto& filler = fillers.emplace_back(context);
        filler.async_connect(full.local_endpoint(), [](boost::system::error_code) {});
    }
    const HttpOrigin origin{"127.0.0.1", std::to_string(full.local_endpoint().port()), true};
    expect_fault(send_to(origin, "PATCH"), Fault::unreachable, "no answer in time");
    expect_took_short_limit();
}

}  // namespace
}  // namespace keyturn
