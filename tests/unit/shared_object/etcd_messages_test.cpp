#include "shared_object/etcd_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;
using Found = ObjectReading::Found;

TEST(EtcdRequests, HaveTheNamesThatEtcdKnows) {
    EXPECT_EQ(etcd_read("k", "7").reveal(),
              R"({"compare":[{"key":"aw==","target":"MOD","result":"EQUAL","mod_revision":"7"}],)"
              R"("success":[{"request_range":{"key":"aw==","keys_only":true}}],)"
              R"("failure":[{"request_range":{"key":"aw=="}}]})");
    EXPECT_EQ(etcd_swap("k", "0", "one").reveal(),
              R"({"compare":[{"key":"aw==","target":"MOD","result":"EQUAL","mod_revision":"0"}],)"
              R"("success":[{"request_put":{"key":"aw==","value":"b25l"}}]})");
    EXPECT_EQ(etcd_remove("k").reveal(), R"({"key":"aw=="})");
    EXPECT_EQ(etcd_authenticate("a\"b", Secret::copy_of("c\\d\x01\xc3\xa9")).reveal(),
              "{\"name\":\"a\\\"b\",\"password\":\"c\\\\d\\u0001\xc3\xa9\"}");
}

TEST(EtcdVersion, IsARevision) {
    EXPECT_EQ(revision_of("").value(), "0");
    EXPECT_EQ(revision_of("9223372036854775807").value(), "9223372036854775807");
    for (const auto* version : {"0", "-1", "x", "1x", "9223372036854775808", "\"abc\""}) {
        EXPECT_EQ(revision_of(version).error().fault, Fault::invalid) << version;
    }
}

// As etcd 3.4.23 answers.
constexpr auto read_all =
    R"({"header":{"revision":"9"},"responses":[{"response_range":{"header":{"revision":"9"},)"
    R"("kvs":[{"key":"aw==","create_revision":"2","mod_revision":"7","version":"3",)"
    R"("value":"b25l"}],"count":"1"}}]})";
constexpr auto read_unchanged =
    R"({"header":{"revision":"9"},"succeeded":true,"responses":[{"response_range":{)"
    R"("kvs":[{"key":"aw==","create_revision":"2","mod_revision":"7","version":"3"}],)"
    R"("count":"1"}}]})";
constexpr auto read_absent =
    R"({"header":{"revision":"9"},"succeeded":true,"responses":[{"response_range":{)"
    R"("header":{"revision":"9"}}}]})";
constexpr auto read_gone =
    R"({"header":{"revision":"9"},"responses":[{"response_range":{"header":{"revision":"9"}}}]})";
constexpr auto read_empty =
    R"({"header":{"revision":"9"},"responses":[{"response_range":{"kvs":[{"key":"aw==",)"
    R"("mod_revision":"7"}],"count":"1"}}]})";

TEST(EtcdAnswers, OfAReadAreUnderstood) {
    EXPECT_EQ(read_answer(read_all, "").value(), (ObjectReading{Found::present, "one", "7"}));
    EXPECT_EQ(read_answer(read_all, "8").value(), (ObjectReading{Found::present, "one", "7"}));
    EXPECT_EQ(read_answer(read_unchanged, "7").value(), (ObjectReading{Found::unchanged, "", "7"}));
    EXPECT_EQ(read_answer(read_absent, "").value(), ObjectReading());
    EXPECT_EQ(read_answer(read_gone, "7").value(), ObjectReading());
    EXPECT_EQ(read_answer(read_empty, "").value(), (ObjectReading{Found::present, "", "7"}));
}

TEST(EtcdAnswers, ThatMakeNoSenseAreRefused) {
    for (const auto* body :
         {"", "{}", "[]", "<html>", R"({"responses":[]})", R"({"responses":[{"response_put":{}}]})",
          R"({"responses":[{"response_range":{"kvs":[{"value":"b25l"}]}}]})",
          R"({"responses":[{"response_range":{"kvs":[{"mod_revision":"0"}]}}]})",
          R"({"responses":[{"response_range":{"kvs":[{"mod_revision":"7","value":"?"}]}}]})"}) {
        EXPECT_EQ(read_answer(body, "").error().fault, Fault::invalid) << body;
    }
    EXPECT_EQ(read_answer(read_unchanged, "6").error().fault, Fault::invalid);
    EXPECT_EQ(read_answer(read_unchanged, "").error().fault, Fault::invalid);
    EXPECT_EQ(read_answer(read_absent, "7").error().fault, Fault::invalid);
}

TEST(EtcdAnswers, OfASwapHaveTheNewRevision) {
    EXPECT_EQ(swap_answer(R"({"header":{"revision":"8"},"succeeded":true})").value(), "8");
    EXPECT_EQ(swap_answer(R"({"header":{"revision":"8"}})").value(), "");
    EXPECT_EQ(swap_answer(R"({"header":{"revision":"8"},"succeeded":"true"})").value(), "");
    for (const auto* body : {"", "{}", R"({"succeeded":true})", R"({"header":{"revision":"x"}})"}) {
        EXPECT_EQ(swap_answer(body).error().fault, Fault::invalid) << body;
    }
}

TEST(EtcdAnswers, OfALoginHaveAToken) {
    EXPECT_EQ(authenticate_answer(R"({"token":"abc.16"})").value().reveal(), "abc.16");
    EXPECT_EQ(authenticate_answer("{}").error().fault, Fault::invalid);
}

struct Expectation {
    EtcdCall call;
    int status;
    std::string body;
    Fault fault;
    std::string text;
    bool another;
};

std::string error_of(int code, const std::string& message) {
    return "{\"error\":\"" + message + "\",\"message\":\"" + message +
           "\",\"code\":" + std::to_string(code) + "}";
}

TEST(EtcdFaults, FollowFromStatusAndCode) {
    const auto timed_out = error_of(14, "etcdserver: request timed out");
    const std::vector<Expectation> cases{
        {EtcdCall::read, 503, timed_out, Fault::unreachable, "HTTP 503, code 14", true},
        {EtcdCall::swap, 503, timed_out, Fault::ambiguous, "HTTP 503, code 14", false},
        {EtcdCall::swap, 500, error_of(2, "context deadline exceeded"), Fault::ambiguous, "code 2",
         false},
        {EtcdCall::swap, 503, R"({"error":{"grpc_code":14,"message":"x"}})", Fault::ambiguous,
         "code 14", false},
        {EtcdCall::read, 502, "<html>hunter2", Fault::unreachable, "HTTP 502: ", true},
        {EtcdCall::read, 400, error_of(3, "etcdserver: user name is empty"), Fault::denied,
         "set `user` and `password`", false},
        {EtcdCall::authenticate, 400,
         error_of(3, "etcdserver: authentication failed, invalid user ID or password"),
         Fault::denied, "user or the password is wrong", false},
        {EtcdCall::authenticate, 412, error_of(9, "etcdserver: authentication is not enabled"),
         Fault::denied, "asks for no login", false},
        {EtcdCall::swap, 403, error_of(7, "etcdserver: permission denied"), Fault::denied,
         "readwrite", false},
        {EtcdCall::swap, 401, error_of(16, "etcdserver: invalid auth token"), Fault::denied,
         "login", false},
        {EtcdCall::swap, 429, error_of(8, "etcdserver: too many requests"), Fault::busy, "fewer",
         false},
        {EtcdCall::swap, 429, error_of(8, "etcdserver: mvcc: database space exceeded"),
         Fault::denied, "etcdctl alarm disarm", false},
        {EtcdCall::authenticate, 400,
         "CommonName of client sending a request against gateway will "
         "be ignored and not used as expected\n",
         Fault::denied, "without it", false},
        {EtcdCall::read, 404, "Not Found", Fault::invalid, "`endpoints`", false},
        {EtcdCall::swap, 301, "", Fault::invalid, "`endpoints`", false},
        {EtcdCall::swap, 400, error_of(3, "hunter2"), Fault::invalid, "does not take", false},
    };
    for (const auto& test : cases) {
        HttpResponse response;
        response.status = test.status;
        response.body = Secret::copy_of(test.body);
        const auto failure = failure_of_etcd(test.call, "https://10.0.0.1:2379", response);
        EXPECT_EQ(failure.error.fault, test.fault) << failure.error.text;
        EXPECT_EQ(failure.another_may_help, test.another) << failure.error.text;
        EXPECT_THAT(failure.error.text, HasSubstr(test.text));
        EXPECT_THAT(failure.error.text, HasSubstr("etcd at https://10.0.0.1:2379: "));
        EXPECT_THAT(failure.error.text, Not(HasSubstr("hunter2")));
    }
}

}  // namespace
}  // namespace keyturn
