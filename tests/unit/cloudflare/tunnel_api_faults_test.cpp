#include "scripted_http.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

const std::string throttled = R"({"code":971,"message":"Please wait and consider throttling"})";
const std::string malformed =
    R"({"success":false,"errors":[{"code":6003,"message":"Invalid request headers","error_chain":)"
    R"([{"code":6111,"message":"Invalid format for Authorization header"}]}],"result":null})";
const std::string unauthorized =
    R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null})";
const std::string half_a_success = R"({"success":false,"errors":[],"result":{"token":"eyJ"}})";

class TunnelApiFaults : public TunnelApiTest {
  protected:
    Error error_of_get(int status, std::string_view body) {
        http.will_answer(status, body);
        const auto answer = finished(api->get_token(some_tunnel));
        return answer ? Error{Fault::invalid, "no error at all"} : answer.error();
    }
    Error error_of_patch(int status, std::string_view body) {
        http.will_answer(status, body);
        return failed_patch();
    }
    Error failed_patch() {
        const auto secret = Secret::copy_of("AAAA");
        const auto answer = finished(api->patch_secret(some_tunnel, secret));
        return answer ? Error{Fault::conflict, "no error at all"} : answer.error();
    }
};

TEST_F(TunnelApiFaults, FollowFromTheStatus) {
    struct Case {
        int status;
        std::string body;
        Fault get;
        Fault patch;
    };
    const Case cases[] = {
        {400, R"({"errors":[{"code":1003,"message":"bad"}]})", Fault::invalid, Fault::invalid},
        {400, malformed, Fault::denied, Fault::denied},
        {400, R"({"errors":[{"code":6111}]})", Fault::denied, Fault::denied},
        {400, R"({"code":1000,"error":"Invalid API Token"})", Fault::denied, Fault::denied},
        {401, "", Fault::denied, Fault::denied},
        {403, unauthorized, Fault::denied, Fault::denied},
        {403, "<html>blocked</html>", Fault::denied, Fault::denied},
        {404, "", Fault::missing, Fault::missing},
        // A page that is none of the API's says nothing of the tunnel or of a connector.
        {404, "<html>not found</html>", Fault::invalid, Fault::invalid},
        {404, R"({"errors":[{"code":7003}]})", Fault::invalid, Fault::invalid},
        {405, "", Fault::invalid, Fault::invalid},
        {408, "", Fault::unreachable, Fault::ambiguous},
        {409, "", Fault::conflict, Fault::conflict},
        {422, "", Fault::invalid, Fault::invalid},
        {429, "", Fault::busy, Fault::busy},
        {429, throttled, Fault::busy, Fault::busy},
        {500, "", Fault::unreachable, Fault::ambiguous},
        {500, throttled, Fault::busy, Fault::busy},
        {502, "<html>bad gateway</html>", Fault::unreachable, Fault::ambiguous},
        {503, "", Fault::unreachable, Fault::ambiguous},
        {504, "", Fault::unreachable, Fault::ambiguous},
        {520, "", Fault::unreachable, Fault::ambiguous},
        {524, "<html>a timeout occurred</html>", Fault::unreachable, Fault::ambiguous},
        {530, "error code: 1033", Fault::unreachable, Fault::ambiguous},
        {101, "", Fault::invalid, Fault::invalid},
        {301, "", Fault::invalid, Fault::invalid},
        {307, "", Fault::invalid, Fault::invalid},
        // 2xx with a body that is no success says nothing definite about a write.
        {200, half_a_success, Fault::invalid, Fault::ambiguous},
        {200, "<html>log in to the wireless network</html>", Fault::invalid, Fault::ambiguous},
        {200, "", Fault::invalid, Fault::ambiguous},
        {204, "", Fault::invalid, Fault::ambiguous},
        {200, R"({"success":true,"result":)", Fault::invalid, Fault::ambiguous},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(error_of_get(test.status, test.body).fault, test.get) << test.status << test.body;
        EXPECT_EQ(error_of_patch(test.status, test.body).fault, test.patch)
            << test.status << test.body;
    }
}

TEST_F(TunnelApiFaults, FollowFromWhatTheClientMet) {
    struct Case {
        Fault met;
        Fault get;
        Fault patch;
    };
    const Case cases[] = {
        {Fault::unreachable, Fault::unreachable, Fault::unreachable},
        {Fault::ambiguous, Fault::unreachable, Fault::ambiguous},
        {Fault::invalid, Fault::invalid, Fault::ambiguous},
        {Fault::denied, Fault::denied, Fault::denied},
        {Fault::cancelled, Fault::cancelled, Fault::cancelled},
    };
    for (const auto& test : cases) {
        const Error met{test.met, "what happened"};
        http.will_fail(met);
        const auto answer = finished(api->get_token(some_tunnel));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error(),
                  (Error{test.get,
                         "GET token of tunnel f70ff985-a4ef-4643-bbbc-4a0ed4fc8415: "
                         "what happened"}));
        http.will_fail(met);
        EXPECT_EQ(failed_patch().fault, test.patch) << name_of(test.met);
    }
}

TEST_F(TunnelApiFaults, AreNeverRetriedHere) {
    EXPECT_EQ(error_of_patch(500, "").fault, Fault::ambiguous);
    EXPECT_EQ(http.asked.size(), 1U);
    EXPECT_EQ(error_of_get(503, "").fault, Fault::unreachable);
    EXPECT_EQ(http.asked.size(), 2U);
}

TEST_F(TunnelApiFaults, TellCallStatusCodeMessageAndRay) {
    http.will_answer(403, unauthorized, {{"cf-ray", "8f1c2d-DFW"}});
    const auto answer = finished(api->get_token(some_tunnel));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().text,
              "GET token of tunnel f70ff985-a4ef-4643-bbbc-4a0ed4fc8415: HTTP 403, 10000 "
              "\"Authentication error\" (cf-ray 8f1c2d-DFW): the API token is not valid, or it "
              "does not allow this in this account: give it the permission Cloudflare Tunnel Write "
              "for the account under `account:`, or create a new one");
}

TEST_F(TunnelApiFaults, SayWhatToDo) {
    EXPECT_THAT(error_of_get(401, "").text, HasSubstr("Cloudflare Tunnel Write"));
    EXPECT_THAT(error_of_get(400, malformed).text, HasSubstr("it is a tunnel token"));
    EXPECT_THAT(error_of_get(404, "").text, HasSubstr("check `account:` and `tunnel:`"));
    EXPECT_THAT(error_of_get(302, "").text, HasSubstr("check `api_url:`"));
    EXPECT_THAT(error_of_get(502, "<html>").text,
                HasSubstr("HTTP 502, the answer is an HTML page"));
    EXPECT_THAT(error_of_get(403, "<html>").text, HasSubstr("a firewall or a challenge"));
    EXPECT_THAT(error_of_get(200, "<html>").text, HasSubstr("a maintenance page"));
    EXPECT_THAT(error_of_get(200, half_a_success).text, HasSubstr("did not carry it out"));
    http.will_answer(403, "");
    const auto list = finished(api->list_connectors(some_tunnel));
    ASSERT_FALSE(list);
    EXPECT_THAT(list.error().text, HasSubstr("Cloudflare Tunnel Read or Write"));
}

TEST_F(TunnelApiFaults, CarryRetryAfterWhereWaitingHelps) {
    struct Case {
        int status;
        std::string header;
        std::chrono::seconds seconds;
    };
    const Case cases[] = {
        {429, "1", 1s},        {429, "300", 300s},
        {429, "100000", 300s}, {429, "-1", 0s},
        {429, "garbage", 0s},  {503, "7", 7s},
        {403, "7", 0s},        {429, "Tue, 24 Nov 2026 06:50:54 GMT", 0s},
    };
    for (const auto& test : cases) {
        http.will_answer(test.status, "", {{"retry-after", test.header}});
        const auto answer = finished(api->get_token(some_tunnel));
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().retry_after, test.seconds) << test.status << ' ' << test.header;
    }
    EXPECT_EQ(error_of_get(429, "").retry_after, 0s);
}

TEST_F(TunnelApiFaults, NeverRepeatASecret) {
    const std::string echo =
        R"({"errors":[{"code":1003,"message":"bad secret )"
        R"(AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= )"
        R"(in {\"tunnel_secret\":\"eyJhIjoiNjk5\"} for cfut_the_api_token\nforged line"}]})";
    const auto text = error_of_patch(400, echo).text;
    EXPECT_THAT(text, HasSubstr("1003 \"bad secret [redacted] in"));
    EXPECT_THAT(text, Not(HasSubstr("AAECAw")));
    EXPECT_THAT(text, Not(HasSubstr("eyJ")));
    EXPECT_THAT(text, Not(HasSubstr("cfut_")));
    EXPECT_THAT(text, Not(HasSubstr("\n")));
    http.will_answer(500, "", {{"cf-ray", "eyJhIjoi\r\nforged"}});
    const auto answer = finished(api->get_token(some_tunnel));
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text, Not(HasSubstr("eyJ")));
    EXPECT_THAT(answer.error().text, Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace keyturn
