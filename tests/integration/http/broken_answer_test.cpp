#include "base/secret_memory.hpp"
#include "fakes/allocations.hpp"
#include "integration/peers/https_test.hpp"

namespace keyturn {
namespace {

class BrokenAnswer : public HttpsTest {
  protected:
    /// The connection is dropped after the failure, and the client goes on with a new one.
    void expect_dropped() {
        EXPECT_TRUE(comes_true([&] { return server->seen().left == 1; }));
        server->will(answer_of(200, "whole"));
        const auto next = send();
        ASSERT_TRUE(next) << next.error().text;
        EXPECT_EQ(next->body.reveal(), "whole");
        EXPECT_EQ(server->seen().connections, 2U);
    }
};

TEST_F(BrokenAnswer, TruncatedBodyIsAFailure) {
    for (const auto ending : {Ending::finish, Ending::cut}) {
        serve();
        server->will({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", ending});
        expect_fault(send(), Fault::ambiguous, "closed the connection in the middle of its answer");
        expect_dropped();
    }
}

TEST_F(BrokenAnswer, MissingCloseNotifyDoesNotMatterToAWholeAnswer) {
    serve();
    server->will(answer_of(200, "hello", "Connection: close\r\n", Ending::cut));
    const auto outcome = send();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->body.reveal(), "hello");
}

TEST_F(BrokenAnswer, BodyThatEndsWithTheConnectionNeedsACloseNotify) {
    serve();
    server->will({"HTTP/1.1 200 OK\r\n\r\nhello", Ending::finish});
    const auto whole = send();
    ASSERT_TRUE(whole) << whole.error().text;
    EXPECT_EQ(whole->body.reveal(), "hello");
    server->will({"HTTP/1.1 200 OK\r\n\r\nhello", Ending::cut});
    expect_fault(send(), Fault::ambiguous, "closed the connection in the middle of its answer");
}

TEST_F(BrokenAnswer, SlowDripEndsInTheDeadlineOfTheExchange) {
    options.limits.exchange = short_limit;
    serve();
    Answer drip = answer_of(200, "hello");
    drip.byte_pause = 100ms;
    server->will(drip);
    expect_fault(send(), Fault::ambiguous, "sent no complete answer within 200 ms");
    expect_took_short_limit();
    expect_dropped();
}

TEST_F(BrokenAnswer, SilenceEndsInTheDeadlineOfTheExchange) {
    options.limits.exchange = short_limit;
    serve();
    server->will({"", Ending::hang});
    expect_fault(send("PATCH"), Fault::ambiguous, "sent no complete answer within 200 ms");
    expect_took_short_limit();
    EXPECT_EQ(server->seen().requests.size(), 1U);
    expect_dropped();
}

TEST_F(BrokenAnswer, EndlessHeadersEndAtTheLimit) {
    serve();
    // The start line comes with each round too; only the first one is well-formed as such.
    Answer headers{"HTTP/1.1 200 OK\r\nX: " + std::string(1'000, 'a'), Ending::finish};
    headers.endless = true;
    server->will(headers);
    expect_fault(send(), Fault::invalid, "the answer's headers exceed 16384 bytes");
    EXPECT_LT(took, at_once);
    expect_dropped();
}

TEST_F(BrokenAnswer, EndlessInterimAnswersEndAtTheLimit) {
    serve();
    Answer interim{"HTTP/1.1 100 Continue\r\n\r\n", Ending::finish};
    interim.endless = true;
    server->will(interim);
    expect_fault(send(), Fault::invalid, "consists only of interim answers");
    expect_dropped();
}

TEST_F(BrokenAnswer, AnnouncedBodyOverTheLimitIsNotRead) {
    serve();
    server->will({"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", Ending::hang});
    expect_fault(send(), Fault::invalid, "the answer's body exceeds 65536 bytes");
    EXPECT_LT(took, at_once);
    expect_dropped();
}

TEST_F(BrokenAnswer, EndlessChunksEndAtTheLimit) {
    serve();
    std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 70; ++i) chunks += "400\r\n" + std::string(1024, 'a') + "\r\n";
    server->will({chunks, Ending::hang});
    expect_fault(send(), Fault::invalid, "the answer's body exceeds 65536 bytes");
    expect_dropped();
}

TEST_F(BrokenAnswer, ChunksThatAreGarbageAreRefused) {
    for (const auto* chunks : {"zz\r\nhello\r\n", "5\r\nhelloXX\r\n0\r\n\r\n", "-5\r\nhello\r\n",
                               "fffffffffffffffff\r\nhello\r\n"}) {
        serve();
        const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        server->will({head + chunks, Ending::hang});
        expect_fault(send("PATCH"), Fault::invalid, "the answer is not HTTP");
        EXPECT_LT(took, at_once);
        expect_dropped();
    }
}

TEST_F(BrokenAnswer, ConnectionThatIsHalfClosedIsAFailure) {
    for (const auto* begun : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"}) {
        serve();
        server->will({begun, Ending::half});
        expect_fault(send("PATCH"), Fault::ambiguous, "closed the connection");
        EXPECT_LT(took, at_once);
        EXPECT_EQ(server->seen().requests.size(), 1U);
        expect_dropped();
    }
}

TEST_F(BrokenAnswer, EndlessAnswersTakeNoMemory) {
    constexpr std::size_t most = 2 * 1024 * 1024;
    options.limits.body_bytes_max = HttpLimits().body_bytes_max;
    const std::string block(16 * 1024, 'a');
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const Answer answers[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n" + block, Ending::hang, true},
        {"HTTP/1.1 200 OK\r\n\r\n" + block, Ending::hang, true},
        {chunked + "4000\r\n" + block + "\r\n", Ending::hang, true},
        {"HTTP/1.1 200 OK\r\nX: " + block, Ending::hang, true},
    };
    for (const Answer& endless : answers) {
        serve();
        server->will(answer_of(200, "the first answer pays for the TLS context"));
        ASSERT_TRUE(send());
        server->will(endless);
        const allocations::Peak peak;
        const auto outcome = send();
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().fault, Fault::invalid) << outcome.error().text;
        const std::size_t taken = peak.bytes() + secret_memory_use().most_mapped;
        EXPECT_LT(taken, most) << endless.bytes.substr(0, 60);
    }
}

TEST_F(BrokenAnswer, GarbageIsRefused) {
    serve();
    server->will({"SSH-2.0-OpenSSH_9.2\r\n\r\n", Ending::hang});
    expect_fault(send(), Fault::invalid, "the answer is not HTTP");
    expect_dropped();
}

TEST_F(BrokenAnswer, BytesAfterTheAnswerEndTheConnection) {
    serve();
    server->will(
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", Ending::keep});
    const auto outcome = send();
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->body.reveal(), "ok");
    expect_dropped();
}

}  // namespace
}  // namespace keyturn
