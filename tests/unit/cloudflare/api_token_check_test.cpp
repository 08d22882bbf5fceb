#include "cloudflare/api_token_check.hpp"

#include "scripted_http.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* active =
    R"({"success":true,"errors":[],"messages":[{"code":10000,"message":"This API Token is valid)"
    R"( and active","type":null}],"result":{"id":"x","status":"active",)"
    R"("expires_on":"2026-12-24T12:00:00Z"}})";
constexpr const char* unknown =
    R"({"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"result":null})";

std::string failure(int code, const std::string& message) {
    return "{\"success\":false,\"errors\":[{\"code\":" + std::to_string(code) + ",\"message\":\"" +
           message + "\"}],\"messages\":[],\"result\":null}";
}

TEST(ApiTokenCheck, ReadsAValidToken) {
    const ApiTokenCheck check = read_token_check(200, active);
    EXPECT_EQ(check.verdict, ApiTokenVerdict::active);
    ASSERT_TRUE(check.expires);
    EXPECT_EQ(to_text(*check.expires), "2026-12-24T12:00:00Z");
}

TEST(ApiTokenCheck, TellsFailuresApart) {
    const auto verdict = [](int status, const std::string& body) {
        return read_token_check(status, body).verdict;
    };
    EXPECT_EQ(verdict(401, unknown), ApiTokenVerdict::unknown);
    EXPECT_EQ(verdict(403, failure(9109, "Cannot use the access token from location: 192.0.2.1")),
              ApiTokenVerdict::address_refused);
    EXPECT_EQ(verdict(400, failure(6003, "Invalid request headers")), ApiTokenVerdict::malformed);
    EXPECT_EQ(verdict(403, "<html>blocked</html>"), ApiTokenVerdict::unclear);
    EXPECT_EQ(verdict(502, "<html>bad gateway</html>"), ApiTokenVerdict::unclear);
    EXPECT_EQ(verdict(200, R"({"success":true,"result":{"status":"expired"}})"),
              ApiTokenVerdict::inactive);
    EXPECT_EQ(verdict(200, "<html>maintenance</html>"), ApiTokenVerdict::unclear);
    EXPECT_EQ(verdict(200, "{}"), ApiTokenVerdict::unclear);
}

TEST(ApiTokenCheck, AsksTheAccountThenTheUser) {
    ScriptedHttp http;
    http.will_answer(401, unknown);
    http.will_answer(200, active, {{"date", "Sun, 29 Nov 2026 11:00:00 GMT"}});
    const auto check =
        finished(check_api_token(http, "https://api.example/v4", Secret::copy_of("cfut_x"), "acc"));
    ASSERT_TRUE(check);
    EXPECT_EQ(check->verdict, ApiTokenVerdict::active);
    EXPECT_EQ(to_text(check->server_time.value()), "2026-11-29T11:00:00Z");
    ASSERT_THAT(http.asked, SizeIs(2));
    EXPECT_EQ(http.asked[0].target, "/v4/accounts/acc/tokens/verify");
    EXPECT_EQ(http.asked[1].target, "/v4/user/tokens/verify");
    EXPECT_EQ(http.asked[1].bearer, "cfut_x");
    EXPECT_EQ(http.asked[1].method, "GET");
}

TEST(ApiTokenCheck, AsksOnceWhereTheFirstAnswerIsClear) {
    ScriptedHttp http;
    http.will_answer(200, active);
    const auto check =
        finished(check_api_token(http, "https://api.example/v4", Secret::copy_of("cfat_x"), "acc"));
    ASSERT_TRUE(check);
    EXPECT_THAT(http.asked, SizeIs(1));
}

TEST(ApiTokenCheck, FailsOnlyWithoutAnAnswer) {
    ScriptedHttp http;
    http.will_fail(Error{Fault::unreachable, "no route", {}});
    const auto check =
        finished(check_api_token(http, "https://api.example", Secret::copy_of("x"), "acc"));
    ASSERT_FALSE(check);
    EXPECT_THAT(check.error().text, HasSubstr("no route"));
}

TEST(ApiTokenCheck, ExpiresSoonIfLessThanThirtyDaysAreLeft) {
    const WallTime now = parse_rfc3339("2026-11-29T11:00:00Z").value();
    ApiTokenCheck check;
    EXPECT_FALSE(expires_soon(check, now)) << "it never expires";
    check.expires = parse_rfc3339("2026-12-29T11:00:00Z");
    EXPECT_TRUE(expires_soon(check, now));
    check.expires = parse_rfc3339("2026-12-29T11:00:01Z");
    EXPECT_FALSE(expires_soon(check, now));
    check.expires = parse_rfc3339("2026-11-01T00:00:00Z");
    EXPECT_TRUE(expires_soon(check, now));
}

TEST(Rfc3339, IsReadWithOffsetsAndFractions) {
    EXPECT_EQ(to_text(parse_rfc3339("2026-12-24T12:00:00Z").value()), "2026-12-24T12:00:00Z");
    EXPECT_EQ(to_text(parse_rfc3339("2026-12-24T12:00:00.123456+01:30").value()),
              "2026-12-24T10:30:00Z");
    for (const char* wrong : {"", "2026-12-24", "2026-13-24T12:00:00Z", "2026-12-24T12:00:00",
                              "2026-12-24T25:00:00Z", "2026-12-24T12:00:00Zx"})
        EXPECT_FALSE(parse_rfc3339(wrong)) << wrong;
}

}  // namespace
}  // namespace keyturn
