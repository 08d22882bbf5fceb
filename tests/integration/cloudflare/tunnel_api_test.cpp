#include "cloudflare/tunnel_api.hpp"

#include "integration/peers/https_test.hpp"

namespace keyturn {
namespace {

using testing::HasSubstr;

/// The API client on the real HTTP client on real TLS.
class TunnelApiOverTls : public HttpsTest {
  protected:
    TunnelApiOverTls() { serve(); }

    TunnelApi& api() {
        if (!api_) {
            api_ = make_tunnel_api(client(), "https://127.0.0.1:" + server->port() + "/client/v4",
                                   Secret::copy_of("cfut_test_credential"));
        }
        return *api_;
    }

    template <class T>
    T finished(Task<T> task) {
        std::optional<T> result;
        auto keep = [&result](std::exception_ptr error, T value) {
            EXPECT_FALSE(error);
            result.emplace(std::move(value));
        };
        boost::asio::co_spawn(context, std::move(task), std::move(keep));
        EXPECT_TRUE(comes_true([&] { return result.has_value(); }));
        return std::move(*result);
    }

    Result<std::optional<Secret>> patch() {
        const auto secret = Secret::copy_of("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        return finished(api().patch_secret(tunnel, secret));
    }

    const TunnelRef tunnel{"699d98642c564d2e855e9661899b7252",
                           "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415"};

  private:
    std::unique_ptr<TunnelApi> api_;
};

TEST_F(TunnelApiOverTls, MakesTheCallsOfARotationOnOneConnection) {
    server->will(answer_of(200, R"({"success":true,"result":"eyJvbGQ"})",
                           "Date: Tue, 24 Nov 2026 06:50:54 GMT\r\n"));
    server->will(answer_of(200, R"({"success":true,"result":{"id":"x"}})"));
    server->will(answer_of(200, R"({"success":true,"result":"eyJuZXc"})"));
    const auto before = finished(api().get_token(tunnel));
    ASSERT_TRUE(before) << before.error().text;
    EXPECT_EQ(before->token.reveal(), "eyJvbGQ");
    EXPECT_TRUE(before->server_time);
    const auto patched = patch();
    ASSERT_TRUE(patched) << patched.error().text;
    const auto after = finished(api().get_token(tunnel));
    ASSERT_TRUE(after) << after.error().text;
    EXPECT_EQ(after->token.reveal(), "eyJuZXc");
    EXPECT_EQ(server->seen().connections, 1U);
    ASSERT_EQ(server->seen().requests.size(), 3U);
    EXPECT_THAT(server->seen().requests[1],
                HasSubstr("PATCH /client/v4/accounts/699d98642c564d2e855e9661899b7252/cfd_tunnel/"
                          "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415 HTTP/1.1\r\n"));
    EXPECT_THAT(
        server->seen().requests[1],
        HasSubstr("\r\n\r\n{\"tunnel_secret\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}"));
}

TEST_F(TunnelApiOverTls, CarriesRetryAfter) {
    server->will(answer_of(429, R"({"code":971,"message":"Please wait"})", "Retry-After: 42\r\n"));
    const auto answer = finished(api().get_token(tunnel));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::busy);
    EXPECT_EQ(answer.error().retry_after, 42s);
}

TEST_F(TunnelApiOverTls, CallsALostAnswerToAPatchAmbiguous) {
    server->will({"", Ending::cut});
    const auto patched = patch();
    ASSERT_FALSE(patched);
    EXPECT_EQ(patched.error().fault, Fault::ambiguous);
    EXPECT_EQ(server->seen().requests.size(), 1U);
}

TEST_F(TunnelApiOverTls, CallsAFailureOfTheServerAfterAPatchAmbiguous) {
    server->will(answer_of(500, R"({"success":false,"errors":[],"result":null})"));
    const auto patched = patch();
    ASSERT_FALSE(patched);
    EXPECT_EQ(patched.error().fault, Fault::ambiguous);
    EXPECT_EQ(server->seen().requests.size(), 1U);
}

TEST_F(TunnelApiOverTls, ReadsNothingIntoAnHtmlPage) {
    server->will(answer_of(200, "<html>log in</html>", "Content-Type: text/html\r\n"));
    const auto answer = finished(api().get_token(tunnel));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().fault, Fault::invalid);
    EXPECT_THAT(answer.error().text, HasSubstr("HTTP 200, the answer is an HTML page"));
}

TEST_F(TunnelApiOverTls, ReadsNothingIntoBrokenJson) {
    const std::string depth(10'000, '[');
    const std::string success = R"({"success":true,"errors":[],"result":)";
    const std::vector<std::string> bodies{
        R"({"success":true,"result":)",
        success + depth + "}",
        R"({"success":true,"result":"eyJh","result":"eyJi"})",
        success + "7}",
        success + "null}",
        success + "[\"eyJh\"]}",
        R"({"success":false,"errors":[],"result":"eyJh"})",
        R"({"success":"true","result":"eyJh"})",
        success + '"' + std::string(10'000'000, 'a') + "\"}",
        success + "\"eyJh\xff\"}",
        success + std::string("\"eyJh\0\"}", 8),
    };
    for (const std::string& body : bodies) {
        server->will(answer_of(200, body, "", Ending::finish));
        const auto token = finished(api().get_token(tunnel));
        ASSERT_FALSE(token) << body.substr(0, 80);
        EXPECT_EQ(token.error().fault, Fault::invalid) << body.substr(0, 80);
    }
    EXPECT_EQ(server->seen().requests.size(), bodies.size());
}

TEST_F(TunnelApiOverTls, RefusesARedirect) {
    server->will(answer_of(307, "", "Location: https://127.0.0.1/\r\n"));
    const auto patched = patch();
    ASSERT_FALSE(patched);
    EXPECT_EQ(patched.error().fault, Fault::invalid);
    EXPECT_EQ(server->seen().requests.size(), 1U);
}

TEST_F(TunnelApiOverTls, TakesNoSecretToAnotherHost) {
    const TlsServer other(context);
    for (const int status : {301, 302, 303, 307, 308}) {
        const std::string elsewhere = "Location: https://localhost:" + other.port() + "/\r\n";
        for (int i = 0; i < 2; ++i) server->will(answer_of(status, "", elsewhere));
        const auto token = finished(api().get_token(tunnel));
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().fault, Fault::invalid) << status;
        EXPECT_THAT(token.error().text, HasSubstr("check `api_url:`"));
        EXPECT_EQ(patch().error().fault, Fault::invalid) << status;
    }
    EXPECT_EQ(other.seen().connections, 0U);
}

TEST_F(TunnelApiOverTls, RestsAndGoesOn) {
    for (int i = 0; i < 2; ++i) {
        server->will(
            answer_of(200, R"({"success":true,"result":{"name":"web","status":"healthy"}})"));
        const auto facts = finished(api().get_tunnel(tunnel));
        ASSERT_TRUE(facts) << facts.error().text;
        EXPECT_FALSE(facts->deleted);
        api().close_idle();
    }
    EXPECT_EQ(server->seen().connections, 2U);
}

}  // namespace
}  // namespace keyturn
