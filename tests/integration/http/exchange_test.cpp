#include "integration/peers/https_test.hpp"

#include <array>

namespace keyturn {
namespace {

using testing::HasSubstr;

class Exchange : public HttpsTest {};

TEST_F(Exchange, AsksAndAnswers) {
    serve();
    server->will(answer_of(200, R"({"success":true})", "CF-Ray: 8f-DFW\r\n"));
    const auto outcome = send();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->status, 200);
    EXPECT_EQ(outcome->header("cf-ray"), "8f-DFW");
    EXPECT_EQ(outcome->body.reveal(), R"({"success":true})");
    ASSERT_EQ(server->seen().requests.size(), 1U);
    EXPECT_THAT(server->seen().requests[0], HasSubstr("GET / HTTP/1.1\r\n"));
    EXPECT_THAT(server->seen().requests[0],
                HasSubstr("\r\nAuthorization: Bearer cfut_test_credential\r\n"));
    EXPECT_LT(took, at_once);
}

TEST_F(Exchange, KeepsTheConnection) {
    serve();
    for (int i = 0; i < 3; ++i) server->will(answer_of(200, "x"));
    for (const auto* method : {"GET", "PATCH", "GET"}) {
        const auto outcome = send(method);
        ASSERT_TRUE(outcome) << outcome.error().text;
    }
    EXPECT_EQ(server->seen().connections, 1U);
    EXPECT_EQ(server->seen().requests.size(), 3U);
}

TEST_F(Exchange, ClosesTheConnectionForARest) {
    serve();
    server->will(answer_of(200, "x"));
    server->will(answer_of(200, "x"));
    ASSERT_TRUE(send());
    client().close_idle();
    EXPECT_TRUE(comes_true([&] { return server->seen().left == 1; }));
    ASSERT_TRUE(send());
    EXPECT_EQ(server->seen().connections, 2U);
}

TEST_F(Exchange, DoesNotKeepAConnectionThatTheServerWillClose) {
    serve();
    server->will(answer_of(200, "x", "Connection: close\r\n"));
    server->will(answer_of(200, "x"));
    ASSERT_TRUE(send());
    ASSERT_TRUE(send());
    EXPECT_EQ(server->seen().connections, 2U);
}

TEST_F(Exchange, UsesAKeptConnectionForItsOwnOriginOnly) {
    serve();
    server->will(answer_of(200, "x"));
    server->will(answer_of(200, "x"));
    ASSERT_TRUE(send("GET", "127.0.0.1"));
    const auto other = send("GET", "localhost");
    ASSERT_TRUE(other) << other.error().text;
    EXPECT_EQ(server->seen().connections, 2U);
}

TEST_F(Exchange, KeepsAsManyConnectionsAsItIsToldTheOldestLeastLong) {
    options.connections_kept = 2;
    std::array<std::optional<TlsServer>, 3> servers;
    const auto ask = [&](std::size_t index) {
        TlsServer& asked = *servers.at(index);
        asked.will(answer_of(200, "x"));
        const auto outcome = send_to({"127.0.0.1", asked.port(), true});
        EXPECT_TRUE(outcome) << outcome.error().text;
    };
    for (auto& each : servers) each.emplace(context);
    for (const std::size_t index : {0U, 1U, 0U, 1U, 2U, 0U, 2U}) ask(index);
    EXPECT_EQ(servers.at(0)->seen().connections, 2U) << "the third pushed it out";
    EXPECT_EQ(servers.at(1)->seen().connections, 1U);
    EXPECT_EQ(servers.at(2)->seen().connections, 1U);
}

TEST_F(Exchange, ReplacesAKeptConnectionThatWasClosedWhileIdle) {
    for (const auto ending : {Ending::finish, Ending::cut}) {
        serve();
        server->will(answer_of(200, "x", "", ending));
        server->will(answer_of(200, "y"));
        ASSERT_TRUE(send());
        ASSERT_TRUE(comes_true([&] { return server->seen().left == 1; }));
        // Nothing had been sent on the closed one, so this holds for a PATCH too.
        const auto outcome = send("PATCH");
        ASSERT_TRUE(outcome) << outcome.error().text;
        EXPECT_EQ(outcome->body.reveal(), "y");
        EXPECT_EQ(server->seen().requests.size(), 2U);
    }
}

TEST_F(Exchange, AsksAGetAgainWhenAKeptConnectionGivesNoAnswer) {
    serve();
    server->will(answer_of(200, "x"));
    server->will({"", Ending::cut});
    server->will(answer_of(200, "y"));
    ASSERT_TRUE(send());
    const auto outcome = send();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->body.reveal(), "y");
    EXPECT_EQ(server->seen().connections, 2U);
    EXPECT_EQ(server->seen().requests.size(), 3U);
}

TEST_F(Exchange, AsksAGetAgainOnceOnly) {
    serve();
    server->will(answer_of(200, "x"));
    server->will({"", Ending::cut});
    server->will({"", Ending::cut});
    ASSERT_TRUE(send());
    expect_fault(send(), Fault::ambiguous, "closed the connection without an answer");
    EXPECT_EQ(server->seen().requests.size(), 3U);
}

TEST_F(Exchange, DoesNotAskAgainOnceAnAnswerHasBegun) {
    serve();
    server->will(answer_of(200, "x"));
    server->will({"HTTP/1.1 200 OK\r\n", Ending::cut});
    ASSERT_TRUE(send());
    expect_fault(send(), Fault::ambiguous, "in the middle of its answer");
    EXPECT_EQ(server->seen().requests.size(), 2U);
}

TEST_F(Exchange, SendsAPatchOnceAndSaysThatItsAnswerWasLost) {
    serve();
    server->will(answer_of(200, "x"));
    server->will({"", Ending::cut});
    ASSERT_TRUE(send());
    expect_fault(send("PATCH"), Fault::ambiguous, "closed the connection without an answer");
    EXPECT_EQ(server->seen().requests.size(), 2U);
    EXPECT_EQ(server->seen().connections, 1U);
}

TEST_F(Exchange, FollowsNoRedirect) {
    serve();
    server->will(answer_of(302, "", "Location: https://127.0.0.1:" + server->port() + "/x\r\n"));
    const auto outcome = send();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->status, 302);
    EXPECT_EQ(server->seen().requests.size(), 1U);
}

TEST_F(Exchange, AsksALoopbackServerWithoutTls) {
    serve(Welcome::plain);
    server->will(answer_of(200, "ready"));
    server->will(answer_of(200, "ready"));
    for (const auto* host : {"127.0.0.1", "localhost"}) {
        const HttpOrigin origin{host, server->port(), false};
        const auto outcome = send_to(origin);
        ASSERT_TRUE(outcome) << outcome.error().text;
        EXPECT_EQ(outcome->body.reveal(), "ready");
    }
}

TEST_F(Exchange, AsksNobodyElseWithoutTls) {
    for (const auto* host : {"192.0.2.1", "example.com", "0.0.0.0"}) {
        const HttpOrigin origin{host, "80", false};
        expect_fault(send_to(origin), Fault::invalid, "sends it no request without TLS");
    }
}

TEST_F(Exchange, RunsSeveralAtOnceOnConnectionsOfTheirOwn) {
    serve();
    server->will(answer_of(200, "x"));
    server->will(answer_of(200, "y"));
    int answered = 0;
    for (int i = 0; i < 2; ++i) {
        auto count = [&](std::exception_ptr error, Outcome outcome) {
            EXPECT_FALSE(error);
            if (outcome && outcome->status == 200) ++answered;
        };
        const HttpOrigin origin{"127.0.0.1", server->port(), true};
        auto task = client().send(origin, HttpRequest());
        boost::asio::co_spawn(context, std::move(task), std::move(count));
    }
    EXPECT_TRUE(comes_true([&] { return answered == 2; }));
    EXPECT_EQ(server->seen().connections, 2U);
}

TEST_F(Exchange, EndsAtOnceWhenItsCallerIsCancelled) {
    for (const auto* begun : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}) {
        serve();
        server->will({begun, Ending::hang});
        const HttpOrigin origin{"127.0.0.1", server->port(), true};
        start(origin, "PATCH");
        ASSERT_TRUE(comes_true([&] { return server->seen().requests.size() == 1; }));
        signal.emit(boost::asio::cancellation_type::terminal);
        expect_fault(outcome_of_start(), Fault::cancelled, "stopped before the answer came");
        EXPECT_LT(took, at_once);
        EXPECT_TRUE(comes_true([&] { return server->seen().left == 1; }));
        // The client is whole after that.
        server->will(answer_of(200, "x"));
        EXPECT_TRUE(send());
        EXPECT_EQ(server->seen().requests.size(), 2U);
    }
}

}  // namespace
}  // namespace keyturn
