#include "cloudflare/messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// An answer that reports success and holds `result`.
std::string success(const std::string& result) {
    return R"({"success":true,"errors":[],"messages":[],"result":)" + result + "}";
}

TEST(ApiErrors, ReadsTheFormsThatWereSeen) {
    struct Case {
        std::string body;
        std::vector<std::int64_t> codes;
        std::string text;
    };
    const Case cases[] = {
        {R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}],)"
         R"("messages":[],"result":null})",
         {10'000},
         "10000 \"Authentication error\""},
        {R"({"success":false,"errors":[{"code":6003,"message":"Invalid request headers",)"
         R"("error_chain":[{"code":6111,"message":"Invalid format for Authorization header"}]}]})",
         {6003, 6111},
         "6003 \"Invalid request headers\", 6111 \"Invalid format for Authorization header\""},
        {R"({"code":971,"message":"Please wait and consider throttling your request speed"})",
         {971},
         "971 \"Please wait and consider throttling your request speed\""},
        {R"({"code":1000,"error":"Invalid API Token"})", {1000}, "1000 \"Invalid API Token\""},
        {R"({"error":"no"})", {}, "\"no\""},
        {R"({"errors":["first","second"]})", {}, "\"first\", \"second\""},
        {R"({"errors":[{"code":"7003"},{"message":"m"}]})", {7003}, "7003, \"m\""},
        {R"({"errors":[{"code":18446744073709551615,"message":"m"}]})", {}, "\"m\""},
        {R"({"errors":[{"code":1.5,"message":7},null,3,[]]})", {}, ""},
        {R"({"errors":{"code":1}})", {}, ""},
        {R"({"errors":null,"code":10405})", {10'405}, "10405"},
        {"<html><body>Attention Required!</body></html>", {}, "the answer is an HTML page"},
        {"upstream connect error", {}, "the answer is not JSON"},
        {"", {}, ""},
        {"[]", {}, ""},
        {"null", {}, ""},
    };
    for (const auto& test : cases) {
        const auto errors = parse_errors(test.body);
        EXPECT_EQ(errors.codes, test.codes) << test.body;
        EXPECT_EQ(errors.text, test.text) << test.body;
    }
}

TEST(ApiErrors, AreBounded) {
    std::string body = R"({"errors":[)";
    for (int i = 0; i < 1'000; ++i) body += R"({"code":1,"message":"a b c d e f g h"},)";
    body += R"({"code":2}]})";
    const auto errors = parse_errors(body);
    EXPECT_LE(errors.codes.size(), 8U);
    EXPECT_LE(errors.text.size(), 900U);
    EXPECT_THAT(errors.codes, Not(Contains(2)));
    std::string chain = R"({"code":9})";
    for (int i = 8; i > 0; --i) {
        chain = R"({"code":)" + std::to_string(i) + R"(,"error_chain":[)" + chain + "]}";
    }
    EXPECT_THAT(parse_errors(R"({"errors":[)" + chain + "]}").codes, ElementsAre(1, 2, 3, 4, 5));
}

TEST(ApiErrors, AreSafeToLog) {
    const auto errors =
        parse_errors(R"({"errors":[{"code":1,"message":"bad \u001b[31m\ntoken eyJhIjoiNjk5"}]})");
    EXPECT_EQ(errors.text, "1 \"bad ?[31m?token [redacted]\"");
}

TEST(Messages, ReadATunnel) {
    const auto facts = parse_tunnel(
        success(R"({"id":"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415","name":"web","status":"healthy",)"
                R"("deleted_at":null,"connections":[],"conns_active_at":"2026-11-23T10:00:00Z"})"));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->name, "web");
    EXPECT_FALSE(facts->deleted);
}

TEST(Messages, SeeThatATunnelIsDeleted) {
    const auto deleted = [](const std::string& value) {
        const auto facts = parse_tunnel(success(R"({"name":"web","deleted_at":)" + value + "}"));
        return facts && facts->deleted;
    };
    EXPECT_TRUE(deleted(R"("2026-01-01T00:00:00Z")"));
    EXPECT_TRUE(deleted("1"));
    EXPECT_FALSE(deleted("null"));
    EXPECT_FALSE(deleted(R"("")"));
}

TEST(Messages, TakeATunnelWithNothingInIt) {
    const auto facts = parse_tunnel(success(R"({"name":7,"status":null})"));
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->name, "");
    EXPECT_FALSE(facts->deleted);
}

TEST(Messages, ReadAToken) {
    const auto token = parse_token(success(R"("eyJhIjoi")"));
    ASSERT_TRUE(token);
    EXPECT_EQ(token->reveal(), "eyJhIjoi");
}

TEST(Messages, RefuseATokenThatIsNone) {
    const std::string results[] = {"null",
                                   "7",
                                   "{}",
                                   "[]",
                                   R"({"token":"eyJ"})",
                                   R"("")",
                                   '"' + std::string(9'000, 'a') + '"'};
    for (const auto& result : results) {
        const auto token = parse_token(success(result));
        ASSERT_FALSE(token) << result;
        EXPECT_EQ(token.error(), (Error{Fault::invalid, "the answer contains no token"}));
    }
    EXPECT_FALSE(parse_token(R"({"success":true,"errors":[],"messages":[]})"));
}

TEST(Messages, TakeTheTokenOfAPatchWhereThereIsOne) {
    const auto with = parse_patched(success(R"({"id":"x","token":"eyJhIjoi"})"));
    ASSERT_TRUE(with);
    ASSERT_TRUE(*with);
    EXPECT_EQ((*with)->reveal(), "eyJhIjoi");
    for (const auto* result : {R"({"id":"x"})", R"({"token":null})", R"({"token":7})",
                               R"({"token":""})", "null", "[]"}) {
        const auto without = parse_patched(success(result));
        ASSERT_TRUE(without) << result;
        EXPECT_FALSE(*without) << result;
    }
    const auto absent = parse_patched(R"({"success":true,"errors":[],"messages":[]})");
    ASSERT_TRUE(absent);
    EXPECT_FALSE(*absent);
}

TEST(Messages, GoByErrorsAndSuccessNotByMessages) {
    const auto token = parse_token(
        R"({"success":true,"errors":[],"messages":[{"code":10000,"message":"This API Token is )"
        R"(valid and active","type":null}],"result":"eyJ"})");
    EXPECT_TRUE(token);
}

TEST(Messages, TakeASuccessWithErrorsForOne) {
    // Whether the token is the right one is told by what it decodes to, not by this.
    EXPECT_TRUE(parse_token(R"({"success":true,"errors":[{"code":1000}],"result":"eyJ"})"));
}

TEST(Messages, RefuseWhatReportsNoSuccess) {
    struct Case {
        std::string body;
        std::string text;
    };
    const Case cases[] = {
        {R"({"success":false,"errors":[{"code":10000,"message":"no"}],"result":"eyJ"})",
         "the answer reports a failure: 10000 \"no\""},
        {R"({"success":false,"result":"eyJ"})", "the answer reports a failure: no reason given"},
        {R"({"result":"eyJ"})", "the answer does not say whether the call succeeded"},
        {R"({"success":"true","result":"eyJ"})",
         "'success' in the answer is neither true nor false"},
        {R"({"success":1,"result":"eyJ"})", "'success' in the answer is neither true nor false"},
        {R"(["eyJ"])", "the answer is not an object"},
        {R"("eyJ")", "the answer is not an object"},
        {"<html>", "the answer is an HTML page"},
        {"", "the answer is not JSON"},
        {R"({"success":true,"result":"a","result":"b"})", "the answer contains a key twice"},
        {R"({"success":true,"result":"eyJ)", "the answer is not JSON"},
    };
    for (const auto& test : cases) {
        const Error expected{Fault::invalid, test.text};
        const auto token = parse_token(test.body);
        ASSERT_FALSE(token) << test.body;
        EXPECT_EQ(token.error(), expected) << test.body;
        ASSERT_FALSE(parse_tunnel(test.body)) << test.body;
        ASSERT_FALSE(parse_patched(test.body)) << test.body;
        ASSERT_FALSE(parse_connectors(test.body)) << test.body;
    }
}

TEST(Messages, ListConnectors) {
    const auto list = parse_connectors(success(R"([
        {"id":"1BEDC50D-42b3-473c-b108-ff3d10c0d925","arch":"linux_amd64","version":"2026.8.2",
         "run_at":"2026-11-23T10:00:00Z","features":["ha-origin"],"config_version":3,"conns":[
           {"id":"c1","colo_name":"DFW","origin_ip":"198.51.100.7","is_pending_reconnect":false},
           {"id":"c2","colo_name":"DFW","origin_ip":"198.51.100.7"},
           {"id":"c3","colo_name":"DFW","origin_ip":"198.51.100.8","is_pending_reconnect":true}]},
        {"conns":[{"client_id":"2bedc50d","origin_ip":7}]}])"));
    ASSERT_TRUE(list);
    EXPECT_THAT(*list, ElementsAre(Connector{"1bedc50d-42b3-473c-b108-ff3d10c0d925", "198.51.100.7",
                                             "2026-11-23T10:00:00Z", "2026.8.2", 2},
                                   Connector{"2bedc50d", "", "", "", 1}));
}

TEST(Messages, LeaveOutConnectorsThatOnlyWait) {
    const auto list = parse_connectors(success(R"([
        {"id":"a","conns":[]}, {"id":"b","conns":[{"is_pending_reconnect":true}]},
        {"id":"c"}, {"id":"d","conns":null}])"));
    ASSERT_TRUE(list);
    EXPECT_THAT(*list, ElementsAre(Connector{"c", "", "", "", 0}, Connector{"d", "", "", "", 0}));
}

TEST(Messages, TakeNullForAnEmptyListAndNothingForNoList) {
    const auto null = parse_connectors(success("null"));
    ASSERT_TRUE(null);
    EXPECT_TRUE(null->empty());
    EXPECT_TRUE(parse_connectors(success("[]")));
    for (const auto* result : {"{}", "\"x\"", "7", "[7]", R"([{"version":"1"}])", "[null]"}) {
        EXPECT_FALSE(parse_connectors(success(result))) << result;
    }
    EXPECT_FALSE(parse_connectors(R"({"success":true})"));
}

TEST(Messages, NeverRepeatABodyInAnError) {
    const auto token = parse_token(R"({"success":true,"result":"eyJhIjoi" hunter2)");
    ASSERT_FALSE(token);
    EXPECT_THAT(token.error().text, testing::Not(HasSubstr("hunter2")));
    EXPECT_THAT(token.error().text, testing::Not(HasSubstr("eyJ")));
}

}  // namespace
}  // namespace keyturn
