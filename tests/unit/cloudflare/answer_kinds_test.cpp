// Each kind of answer that was seen, with its own sentence.
#include "cloudflare/answer_kinds.hpp"

#include <gmock/gmock.h>

#include <set>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string errors(int code, const std::string& message) {
    return R"({"success":false,"errors":[{"code":)" + std::to_string(code) + R"(,"message":")" +
           message + R"("}],"messages":[],"result":null})";
}

const std::string page = "<!DOCTYPE html><html><title>Just a moment...</title></html>";
const std::string late = R"({"code":971,"message":"Please wait and consider throttling"})";

struct Case {
    int status;
    std::string body;
    AnswerKind kind;
    std::string remedy;  ///< The words that lead to it.
};

const Case cases[] = {
    {403, page, AnswerKind::blocked, "allow this host's address in the firewall (WAF) rule"},
    {403, "error code: 1020", AnswerKind::blocked, "says nothing about the API token"},
    {403, "\xef\xbb\xbf\n<html>", AnswerKind::blocked, "a challenge in front of the API"},
    {403, errors(9109, "Cannot use the access token from location: 203.0.113.7"),
     AnswerKind::address_refused, "Client IP Address Filtering"},
    {401, errors(9109, "Cannot use the access token from location: 2001:db8::7"),
     AnswerKind::address_refused, "from this host's address"},
    {403, errors(9109, "Invalid access token"), AnswerKind::token_unknown, "not copied in full"},
    {403, errors(9109, "Unauthorized to access requested resource"), AnswerKind::token_refused,
     "Cloudflare Tunnel Write"},
    {401, errors(1000, "Invalid API Token"), AnswerKind::token_unknown, "deleted, rolled"},
    {400, errors(1000, "Invalid API Token"), AnswerKind::token_unknown, "deleted, rolled"},
    {401, errors(10'000, "Authentication error"), AnswerKind::token_refused, "`account:`"},
    {403, errors(10'000, "Authentication error"), AnswerKind::token_refused, "`account:`"},
    {400, errors(6003, "Invalid request headers"), AnswerKind::token_malformed,
     "it is a tunnel token"},
    {401, "", AnswerKind::token_refused, "Cloudflare Tunnel Write"},
    {403, "", AnswerKind::token_refused, "Cloudflare Tunnel Write"},
    {400,
     errors(7003, "Could not route to /accounts/x, perhaps your object identifier is invalid?"),
     AnswerKind::not_routed, "complete and not swapped"},
    {404, errors(7003, "Could not route to /"), AnswerKind::not_routed, "are complete"},
    {404, errors(1003, "Tunnel not found"), AnswerKind::not_found,
     "check `account:` and `tunnel:`"},
    {404, "", AnswerKind::not_found, "check `account:` and `tunnel:`"},
    {404, page, AnswerKind::page_not_found, "check `api_url:`"},
    {407, page, AnswerKind::proxy_login, "asks for a login"},
    {511, page, AnswerKind::proxy_login, "asks for a login"},
    {409, errors(1013, "exists"), AnswerKind::conflicting, "what else changes the tunnel"},
    {302, page, AnswerKind::redirected, "check `api_url:`"},
    {405, "", AnswerKind::not_taken, "newer version of keyturn"},
    {429, "", AnswerKind::limited, "limits how often"},
    {429, page, AnswerKind::limited, "limits how often"},
    {429, late, AnswerKind::limited, "retries automatically"},
    {500, late, AnswerKind::limited, "retries automatically"},
    {408, "", AnswerKind::failing, "cloudflarestatus.com"},
    {500, errors(1, "internal"), AnswerKind::failing, "cloudflarestatus.com"},
    {503, "", AnswerKind::failing, "cloudflarestatus.com"},
    {502, page, AnswerKind::failing_in_front, "something in front of the API"},
    {520, page, AnswerKind::failing_in_front, "something in front of the API"},
    {526, page, AnswerKind::failing_in_front, "any proxy in between"},
    {530, "error code: 1033", AnswerKind::failing_in_front, "any proxy in between"},
    {200, page, AnswerKind::page_for_success, "a maintenance page, or the page of a proxy"},
    {200, "", AnswerKind::unread_success, "check `api_url:`"},
    {200, R"({"success":true,"result":)", AnswerKind::unread_success, "check `api_url:`"},
};

TEST(AnswerKinds, HaveEachTheirOwnSentence) {
    std::set<std::string> sentences;
    std::set<AnswerKind> seen;
    for (const Case& test : cases) {
        const AnswerKind kind = kind_of_answer(test.status, parse_errors(test.body));
        EXPECT_EQ(kind, test.kind) << test.status << ' ' << test.body;
        EXPECT_THAT(remedy_of(kind, true), HasSubstr(test.remedy)) << test.status;
        EXPECT_THAT(remedy_of(kind, true), Not(HasSubstr("PERMISSION")));
        if (seen.insert(kind).second) {
            EXPECT_TRUE(sentences.insert(remedy_of(kind, true)).second) << remedy_of(kind, true);
        }
    }
    const auto last = static_cast<std::size_t>(AnswerKind::failed_success);
    EXPECT_EQ(seen.size(), last) << "each kind but failed_success, which is below, has a case";
}

TEST(AnswerKinds, TellOfASuccessThatReportsAFailure) {
    ApiErrors refused = parse_errors(errors(1, "no"));
    refused.text = "the answer reports a failure: 1 \"no\"";
    EXPECT_EQ(kind_of_answer(200, refused), AnswerKind::failed_success);
    ApiErrors credential = parse_errors(errors(10'000, "Authentication error"));
    credential.text = "the answer reports a failure: 10000 \"Authentication error\"";
    EXPECT_EQ(kind_of_answer(200, credential), AnswerKind::token_refused);
}

TEST(AnswerKinds, AskForNoMoreThanTheCallNeeds) {
    EXPECT_THAT(remedy_of(AnswerKind::token_refused, false), HasSubstr("Tunnel Read or Write"));
    EXPECT_THAT(remedy_of(AnswerKind::token_refused, true), HasSubstr("Tunnel Write"));
}

}  // namespace
}  // namespace keyturn
