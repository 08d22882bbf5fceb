#include "http/response_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace keyturn {
namespace {

HttpLimits small_limits() {
    HttpLimits limits;
    limits.header_bytes_max = 1024;
    limits.body_bytes_max = 4096;
    return limits;
}

/// Feeds `bytes` in pieces of `step`, until the answer is whole, refused or used up.
Result<bool> feed(ResponseReader& reader, std::string_view bytes, std::size_t step) {
    Result<bool> whole = false;
    while (!bytes.empty() && whole && !*whole) {
        const auto space = reader.space();
        const auto size = std::min({step, bytes.size(), space.size()});
        std::memcpy(space.data(), bytes.data(), size);
        bytes.remove_prefix(size);
        whole = reader.received(size);
    }
    return whole;
}

/// The text of the refusal, or what else came out.
std::string refusal(std::string_view bytes) {
    ResponseReader reader(small_limits());
    const auto whole = feed(reader, bytes, 512);
    if (!whole) return whole.error().fault == Fault::invalid ? whole.error().text : "wrong fault";
    return *whole ? "accepted" : "unfinished";
}

TEST(ResponseReader, ReadsAnAnswerInPiecesOfAnySize) {
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCF-Ray: 8f-DFW\r\n"
        "Content-Length: 11\r\n\r\nhello world";
    for (std::size_t step = 1; step <= answer.size(); ++step) {
        ResponseReader reader(small_limits());
        const auto whole = feed(reader, answer, step);
        ASSERT_TRUE(whole && *whole) << step;
        EXPECT_TRUE(reader.may_keep());
        const auto response = reader.take();
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.header("cf-ray"), "8f-DFW");
        EXPECT_EQ(response.header("absent"), "");
        EXPECT_EQ(response.body.reveal(), "hello world");
    }
}

TEST(ResponseReader, ReadsChunks) {
    ResponseReader reader(small_limits());
    const auto whole = feed(reader,
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
                            7);
    ASSERT_TRUE(whole && *whole);
    EXPECT_EQ(reader.take().body.reveal(), "hello world");
}

/// Beast 1.81 asserts that this one never comes in such pieces.
TEST(ResponseReader, ReadsAnEmptyChunkedBodyInPiecesOfAnySize) {
    const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for (std::size_t step = 1; step <= answer.size(); ++step) {
        ResponseReader reader(small_limits());
        const auto whole = feed(reader, answer, step);
        ASSERT_TRUE(whole && *whole) << step;
        EXPECT_TRUE(reader.may_keep());
        EXPECT_EQ(reader.take().body.size(), 0U);
    }
}

TEST(ResponseReader, DoesNotKeepAConnectionThatIsClosingOrHasBytesLeft) {
    ResponseReader closing(small_limits());
    ASSERT_TRUE(
        feed(closing, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 99));
    EXPECT_FALSE(closing.may_keep());
    ResponseReader old(small_limits());
    ASSERT_TRUE(feed(old, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 99));
    EXPECT_FALSE(old.may_keep());
    ResponseReader overlong(small_limits());
    const auto whole = feed(overlong, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef", 99);
    ASSERT_TRUE(whole && *whole);
    EXPECT_FALSE(overlong.may_keep());
    EXPECT_EQ(overlong.take().body.reveal(), "ab");
}

TEST(ResponseReader, EndsABodyWithoutALengthAtTheEndOfTheStream) {
    ResponseReader reader(small_limits());
    const auto unfinished = feed(reader, "HTTP/1.1 200 OK\r\n\r\nhello", 99);
    ASSERT_TRUE(unfinished);
    EXPECT_FALSE(*unfinished);
    const auto whole = reader.ended();
    ASSERT_TRUE(whole && *whole);
    EXPECT_FALSE(reader.may_keep());
    EXPECT_EQ(reader.take().body.reveal(), "hello");
}

TEST(ResponseReader, SaysThatAnAnswerWasCutOff) {
    const std::string cut[] = {"", "H", "HTTP/1.1 200 OK\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"};
    for (const auto& bytes : cut) {
        ResponseReader reader(small_limits());
        ASSERT_TRUE(feed(reader, bytes, 99)) << bytes;
        EXPECT_EQ(reader.began(), !bytes.empty());
        const auto whole = reader.ended();
        ASSERT_FALSE(whole) << bytes;
        EXPECT_EQ(whole.error().fault, Fault::ambiguous) << bytes;
    }
}

TEST(ResponseReader, SkipsInterimAnswers) {
    ResponseReader reader(small_limits());
    const auto whole =
        feed(reader,
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
             "HTTP/1.1 204 No Content\r\n\r\n",
             10);
    ASSERT_TRUE(whole && *whole);
    EXPECT_EQ(reader.take().status, 204);
}

TEST(ResponseReader, RefusesEndlessInterimAnswers) {
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_EQ(refusal(bytes), "the answer consists only of interim answers (1xx)");
}

TEST(ResponseReader, RefusesHeadersOverTheLimit) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nX: " + std::string(2'000, 'a') + "\r\n\r\n"),
              "the answer's headers exceed 1024 bytes");
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 500; ++i) many += "X-Y: z\r\n";
    EXPECT_EQ(refusal(many), "the answer's headers exceed 1024 bytes");
}

TEST(ResponseReader, RefusesBodiesOverTheLimit) {
    const std::string too_long = "the answer's body exceeds 4096 bytes";
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n"), too_long);
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, 'a')), too_long);
    std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 600; ++i) chunks += "8\r\nabcdefgh\r\n";
    EXPECT_EQ(refusal(chunks), too_long);
}

TEST(ResponseReader, BoundsTheBytesAroundChunks) {
    std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 1'000; ++i) chunks += "1;padding=0123456789\r\na\r\n";
    EXPECT_EQ(refusal(chunks), "the answer does not end");
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                      std::string(20'000, 'a')),
              "a line of the answer is too long");
}

TEST(ResponseReader, RefusesWhatIsNotHttp) {
    const std::string refused[] = {
        "SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n\r\n",
    };
    for (const auto& bytes : refused) {
        EXPECT_TRUE(refusal(bytes).starts_with("the answer is not HTTP: "))
            << bytes << refusal(bytes);
    }
}

TEST(ResponseReader, NeverRepeatsTheInput) {
    EXPECT_EQ(refusal("hunter2 eyJhIjoi\r\n\r\n").find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
