#include "http/proxy.hpp"

#include "integration/http/name_server.hpp"
#include "integration/http/tunnel_proxy.hpp"
#include "integration/peers/https_test.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <deque>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* login = "robot:s3same:open";
constexpr const char* login_in_base64 = "cm9ib3Q6czNzYW1lOm9wZW4=";

class Proxy : public HttpsTest {
  protected:
    /// A host whose name only the proxy knows.
    HttpOrigin api() const { return {"api.keyturn.test", server ? server->port() : "443", true}; }

    void serve_api() {
        CertificateWish wish;
        wish.names = "DNS:api.keyturn.test";
        serve(Welcome::tls, wish);
        names.emplace(context, NameAnswer::no_such_name);
        options.name_servers = names->address();
    }

    void use_proxy(const std::string& port, const std::string& with_login = "",
                   std::vector<std::string> no_proxy = {}) {
        auto proxy = std::make_shared<HttpProxy>();
        proxy->origin = {"127.0.0.1", port, false};
        proxy->login = Secret::copy_of(with_login);
        proxy->login_place = "`credential` of `proxy`";
        proxy->no_proxy = std::move(no_proxy);
        options.proxy = std::shared_ptr<const HttpProxy>(std::move(proxy));
    }

    /// What comes of a request if the proxy answers CONNECT like this.
    Outcome ask_proxy_that_answers(const Answer& answer, const std::string& with_login = "") {
        proxy_.emplace(context, Welcome::plain);
        proxy_->will(answer);
        use_proxy(proxy_->port(), with_login);
        leave_client();
        auto outcome = send_to(api(), "PATCH");
        EXPECT_FALSE(outcome) << "there was no tunnel";
        // The proxy has seen one CONNECT and nothing of the request.
        EXPECT_EQ(proxy_->seen().requests.size(), 1U);
        EXPECT_THAT(seen_by_proxy(), testing::StartsWith("CONNECT api.keyturn.test:443 "));
        EXPECT_THAT(seen_by_proxy(), Not(HasSubstr("cfut_")));
        if (!outcome) {
            EXPECT_THAT(outcome.error().text, HasSubstr("the proxy 127.0.0.1:" + proxy_->port()));
            EXPECT_THAT(outcome.error().text, Not(HasSubstr("s3same")));
            EXPECT_THAT(outcome.error().text, Not(HasSubstr(login_in_base64)));
        }
        return outcome;
    }

    [[nodiscard]] std::string seen_by_proxy() const {
        return proxy_->seen().requests.empty() ? "" : proxy_->seen().requests.front();
    }

    std::optional<NameServer> names;

  private:
    std::optional<TlsServer> proxy_;
};

TEST_F(Proxy, LeadsToAServerWhoseNameOnlyTheProxyKnows) {
    serve_api();
    server->will(answer_of(200, "x"));
    server->will(answer_of(200, "y"));
    const TunnelProxy proxy(context, server->port());
    use_proxy(proxy.port(), login);
    for (const auto* method : {"GET", "PATCH"}) {
        const auto outcome = send_to(api(), method);
        ASSERT_TRUE(outcome) << outcome.error().text;
    }
    EXPECT_EQ(names->questions(), 0);
    EXPECT_THAT(server->seen().names, testing::ElementsAre("api.keyturn.test"));
    // The connection is kept, so there is one tunnel.
    ASSERT_EQ(proxy.requests().size(), 1U);
    const std::string& head = proxy.requests().front();
    const std::string address = "api.keyturn.test:" + server->port();
    EXPECT_THAT(
        head, testing::StartsWith("CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"));
    EXPECT_THAT(head,
                HasSubstr(std::string("Proxy-Authorization: Basic ") + login_in_base64 + "\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("cfut_")));
}

TEST_F(Proxy, GetsTheLoginAndTheServerGetsTheApiToken) {
    serve_api();
    server->will(answer_of(200, "x"));
    const TunnelProxy proxy(context, server->port());
    use_proxy(proxy.port(), login);
    ASSERT_TRUE(send_to(api()));
    ASSERT_EQ(server->seen().requests.size(), 1U);
    EXPECT_THAT(server->seen().requests[0], Not(HasSubstr("Proxy-")));
    EXPECT_THAT(server->seen().requests[0], Not(HasSubstr(login_in_base64)));
    // TLS goes from end to end: the proxy passes on what it cannot read.
    EXPECT_FALSE(proxy.passed().empty());
    EXPECT_THAT(proxy.passed(), Not(HasSubstr("cfut_")));
    EXPECT_THAT(proxy.passed(), Not(HasSubstr("HTTP/1.1")));
}

TEST_F(Proxy, CannotShowACertificateOfAnotherHost) {
    serve();
    const TunnelProxy proxy(context, server->port());
    use_proxy(proxy.port());
    expect_fault(send_to(api()), Fault::denied,
                 "the certificate of api.keyturn.test:" + server->port() +
                     " (through the proxy 127.0.0.1:" + proxy.port() + ") is not accepted: ");
    EXPECT_EQ(server->seen().application_bytes, 0U);
}

TEST_F(Proxy, IsNotAskedForThisHostOrForAnException) {
    serve();
    for (int i = 0; i < 3; ++i) server->will(answer_of(200, "x"));
    const TunnelProxy proxy(context, server->port());
    use_proxy(proxy.port(), login);
    ASSERT_TRUE(send("GET", "127.0.0.1"));
    ASSERT_TRUE(send("GET", "localhost"));
    EXPECT_TRUE(proxy.requests().empty());
}

TEST_F(Proxy, IsNotAskedForAHostInNoProxy) {
    serve_api();
    NameServer known(context, NameAnswer::loopback);
    options.name_servers = known.address();
    server->will(answer_of(200, "x"));
    const TunnelProxy proxy(context, server->port());
    use_proxy(proxy.port(), login, {"192.0.2.0/24", ".keyturn.test"});
    const auto outcome = send_to(api());
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_GE(known.questions(), 1);
    EXPECT_TRUE(proxy.requests().empty());
}

TEST_F(Proxy, ThatCannotBeUsedEndsEveryRequestThatNeedsIt) {
    serve();
    server->will(answer_of(200, "x"));
    options.proxy = Error{Fault::denied, "the login of the proxy is missing"};
    expect_fault(send_to(api()), Fault::denied, "the login of the proxy is missing");
    EXPECT_TRUE(send("GET", "127.0.0.1"));
}

TEST_F(Proxy, ThatWantsALoginNamesTheKey) {
    const Answer answer =
        answer_of(407, "no", "Proxy-Authenticate: Basic realm=\"office\"\r\n", Ending::finish);
    expect_fault(ask_proxy_that_answers(answer), Fault::denied,
                 "wants a user and a password (HTTP 407): write USER:PASSWORD to `credential` of "
                 "`proxy`");
    EXPECT_THAT(seen_by_proxy(), Not(HasSubstr("Proxy-Authorization")));
}

TEST_F(Proxy, ThatRefusesTheLoginNamesTheKey) {
    const Answer answer =
        answer_of(407, "no", "Proxy-Authenticate: Basic realm=\"office\"\r\n", Ending::finish);
    expect_fault(ask_proxy_that_answers(answer, login), Fault::denied,
                 "does not accept the user or the password (HTTP 407): correct `credential` of "
                 "`proxy`");
    EXPECT_THAT(seen_by_proxy(), HasSubstr(login_in_base64));
}

TEST_F(Proxy, ThatWantsAnotherKindOfLoginSaysSo) {
    const Answer answer = answer_of(
        407, "no", "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n", Ending::finish);
    expect_fault(ask_proxy_that_answers(answer, login), Fault::denied,
                 "wants a login of another kind than Basic (HTTP 407)");
}

TEST_F(Proxy, ThatGivesNoConnectionMayGiveOneLater) {
    expect_fault(ask_proxy_that_answers(answer_of(403, "no")), Fault::unreachable,
                 "refuses a connection to api.keyturn.test:443 (HTTP 403)");
    for (const int status : {400, 404, 429, 500, 502, 503, 504}) {
        expect_fault(
            ask_proxy_that_answers(answer_of(status, "<html>no</html>")), Fault::unreachable,
            "gives no connection to api.keyturn.test:443 (HTTP " + std::to_string(status) + ")");
        EXPECT_LT(took, at_once);
    }
}

TEST_F(Proxy, ThatIsNoneIsFoundOut) {
    for (const std::string garbage :
         {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
          "HTTP/1.1 2000 x\r\n\r\n", "\x16\x03\x01"}) {
        Answer answer;
        answer.bytes = garbage;
        answer.ending = Ending::hang;
        expect_fault(ask_proxy_that_answers(answer), Fault::unreachable,
                     "does not answer as an HTTP proxy does");
        EXPECT_LT(took, at_once);
    }
}

TEST_F(Proxy, ThatSendsTooMuchIsLeft) {
    Answer endless;
    endless.bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 100; ++i) endless.bytes += "X-Padding: " + std::string(200, 'x') + "\r\n";
    endless.endless = true;
    expect_fault(ask_proxy_that_answers(endless), Fault::unreachable,
                 "sends an answer without an end");
    Answer chatty;
    chatty.bytes = "HTTP/1.1 200 OK\r\n\r\nhello";
    chatty.ending = Ending::hang;
    expect_fault(ask_proxy_that_answers(chatty), Fault::unreachable,
                 "sends more than a connection to api.keyturn.test:443");
}

TEST_F(Proxy, ThatStaysSilentOrDripsEndsInTheDeadline) {
    options.limits.resolve = short_limit / 2;
    options.limits.connect = short_limit / 2;
    Answer silence;
    silence.ending = Ending::hang;
    Answer drip;
    drip.bytes = "HTTP/1.1 200 OK\r\n" + std::string(1000, 'x');
    drip.byte_pause = 5ms;
    for (const Answer& answer : {silence, drip}) {
        expect_fault(ask_proxy_that_answers(answer), Fault::unreachable,
                     "gave no connection to api.keyturn.test within 200 ms");
        expect_took_short_limit();
    }
}

TEST_F(Proxy, ThatClosesTheConnectionIsNotWaitedFor) {
    for (const std::string begun : {"", "HTTP/1.1 200 OK\r\n"}) {
        Answer answer;
        answer.bytes = begun;
        answer.ending = Ending::cut;
        expect_fault(ask_proxy_that_answers(answer), Fault::unreachable,
                     "closed the connection without a whole answer to CONNECT");
        EXPECT_LT(took, at_once);
    }
}

TEST_F(Proxy, ThatIsDownIsNamed) {
    std::string port;
    {
        const TlsServer gone(context, Welcome::plain);
        port = gone.port();
    }
    use_proxy(port);
    expect_fault(
        send_to(api()), Fault::unreachable,
        "cannot connect to the proxy 127.0.0.1:" + port + " (127.0.0.1: Connection refused)");
}

TEST_F(Proxy, WhoseNameDoesNotExistIsNamed) {
    serve_api();
    auto proxy = std::make_shared<HttpProxy>();
    proxy->origin = {"proxy.keyturn.test", "3128", false};
    options.proxy = std::shared_ptr<const HttpProxy>(std::move(proxy));
    expect_fault(send_to(api()), Fault::unreachable,
                 "the proxy proxy.keyturn.test:3128: cannot find the address of "
                 "proxy.keyturn.test: the name does not exist");
}

TEST_F(Proxy, IsLeftAtOnceWhenTheCallerIsCancelled) {
    const TlsServer silent(context, Welcome::stall);
    use_proxy(silent.port());
    start(api(), "PATCH");
    ASSERT_TRUE(comes_true([&] { return silent.seen().connections == 1; }));
    signal.emit(boost::asio::cancellation_type::terminal);
    expect_fault(outcome_of_start(), Fault::cancelled, "stopped before the answer came");
    EXPECT_LT(took, at_once);
    EXPECT_TRUE(comes_true([&] { return silent.seen().left == 1; }));
}

}  // namespace
}  // namespace keyturn
