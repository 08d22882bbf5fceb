#include "shared_object/bucket_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const BucketPlace place{"fleet", "https://s3.example.com", "auto"};

HttpResponse answer(int status, const std::string& code, const std::string& retry_after = "") {
    HttpResponse response;
    response.status = status;
    response.body = Secret::copy_of("<?xml version=\"1.0\"?><Error><Code>" + code +
                                    "</Code><Message>hunter2</Message></Error>");
    if (!retry_after.empty()) response.headers.emplace_back("retry-after", retry_after);
    return response;
}

TEST(XmlWord, IsThatOfTheFirstElement) {
    EXPECT_EQ(xml_word("<Error><Code>NoSuchKey</Code><Code>x</Code></Error>", "Code"), "NoSuchKey");
    EXPECT_EQ(xml_word("<V><Status>Enabled</Status></V>", "Status"), "Enabled");
    EXPECT_EQ(xml_word("<Code>A.B9</Code>", "Code"), "A.B9");
}

TEST(XmlWord, IsNothingButAPlainWord) {
    for (const auto* xml : {"", "Code", "<Code>", "<Code></Code>", "<Code>a b</Code>", "<Code>a",
                            "<Code>a\n</Code>", "<Code>a-b</Code>", "<Code>\xc3\xa9</Code>",
                            "<Code><b>a</b></Code>", "<code>a</code>", "{\"Code\":\"a\"}"}) {
        EXPECT_EQ(xml_word(xml, "Code"), "") << xml;
    }
    EXPECT_EQ(xml_word("<Code>" + std::string(37, 'a') + "</Code>", "Code"), "");
}

TEST(ETag, IsWhatIsInTheQuotes) {
    EXPECT_EQ(version_in("\"0123abc\""), "0123abc");
    EXPECT_EQ(version_in("0123abc-7"), "0123abc-7");
    for (const auto* etag :
         {"", "\"\"", "\"", "W/\"0123abc\"", "\"a b\"", "\"a\"b\"", "a\n", "\"\\\"", "\xff"}) {
        EXPECT_FALSE(version_in(etag)) << etag;
    }
    EXPECT_FALSE(version_in(std::string(129, 'a')));
    EXPECT_EQ(etag_text("abc", EtagForm::quoted), "\"abc\"");
    EXPECT_EQ(etag_text("abc", EtagForm::bare), "abc");
}

struct Expectation {
    BucketCall call;
    int status;
    std::string code;
    Fault fault;
    std::string text;
};

TEST(BucketFaults, FollowFromStatusAndCode) {
    const std::vector<Expectation> cases{
        {BucketCall::create, 412, "PreconditionFailed", Fault::conflict, "another host was faster"},
        {BucketCall::replace, 412, "", Fault::conflict, "HTTP 412"},
        {BucketCall::replace, 409, "ConditionalRequestConflict", Fault::conflict, "faster"},
        {BucketCall::replace, 404, "NoSuchKey", Fault::conflict, "faster"},
        {BucketCall::replace, 404, "NoSuchBucket", Fault::missing, "correct `bucket`"},
        {BucketCall::read, 404, "NoSuchBucket", Fault::missing, "bucket fleet"},
        {BucketCall::read, 404, "", Fault::invalid, "correct `endpoint`"},
        {BucketCall::replace, 404, "", Fault::invalid, "correct `endpoint`"},
        {BucketCall::read, 403, "AccessDenied", Fault::denied, "HTTP 403, AccessDenied: "},
        {BucketCall::read, 403, "SignatureDoesNotMatch", Fault::denied, "secret access key"},
        {BucketCall::read, 403, "InvalidAccessKeyId", Fault::denied, "access key id"},
        {BucketCall::replace, 403, "RequestTimeTooSkewed", Fault::denied, "clock of this host"},
        {BucketCall::replace, 403, "SomethingNew", Fault::denied, "SomethingNew"},
        {BucketCall::read, 401, "", Fault::denied, "check the credential"},
        {BucketCall::read, 400, "AuthorizationHeaderMalformed", Fault::invalid, "`region`"},
        {BucketCall::read, 301, "PermanentRedirect", Fault::invalid, "`endpoint` and `region`"},
        {BucketCall::read, 307, "", Fault::invalid, "follows no redirect"},
        {BucketCall::create, 501, "NotImplemented", Fault::invalid, "cannot do it"},
        {BucketCall::create, 400, "Whatever", Fault::invalid, "cannot do it"},
        {BucketCall::replace, 500, "InternalError", Fault::ambiguous, "problem of its own"},
        {BucketCall::create, 502, "", Fault::ambiguous, ""},
        {BucketCall::create, 504, "", Fault::ambiguous, ""},
        {BucketCall::replace, 503, "", Fault::ambiguous, ""},
        {BucketCall::remove, 500, "", Fault::ambiguous, ""},
        {BucketCall::replace, 400, "RequestTimeout", Fault::ambiguous, ""},
        {BucketCall::read, 500, "InternalError", Fault::unreachable, ""},
        {BucketCall::read, 503, "", Fault::unreachable, ""},
        {BucketCall::read, 200, "", Fault::invalid, "makes no sense"},
        {BucketCall::replace, 200, "", Fault::ambiguous, "makes no sense"},
    };
    for (const auto& test : cases) {
        const Error error = fault_of_bucket(test.call, place, answer(test.status, test.code));
        EXPECT_EQ(error.fault, test.fault) << error.text;
        EXPECT_THAT(error.text, HasSubstr(test.text));
        EXPECT_THAT(error.text, Not(HasSubstr("hunter2")));
    }
}

TEST(BucketFaults, SayHowLongToWait) {
    for (const auto& [status, code] : {std::pair{429, ""}, std::pair{503, "SlowDown"}}) {
        const auto wait = [&, s = status, c = code](const std::string& retry_after) {
            const Error error =
                fault_of_bucket(BucketCall::replace, place, answer(s, c, retry_after));
            EXPECT_EQ(error.fault, Fault::busy) << error.text;
            return error.retry_after;
        };
        EXPECT_EQ(wait(""), 1s);
        EXPECT_EQ(wait("0"), 1s);
        EXPECT_EQ(wait("7"), 7s);
        EXPECT_EQ(wait("100000"), 300s);
        EXPECT_EQ(wait("soon"), 1s);
    }
}

TEST(BucketFaults, WithoutAnAnswerAreAmbiguousOnlyForAWrite) {
    const auto fault = [](BucketCall call, Fault of_client) {
        return fault_without_bucket(call, place, Error{of_client, "closed"}).fault;
    };
    EXPECT_EQ(fault(BucketCall::read, Fault::ambiguous), Fault::unreachable);
    EXPECT_EQ(fault(BucketCall::read, Fault::invalid), Fault::invalid);
    EXPECT_EQ(fault(BucketCall::replace, Fault::ambiguous), Fault::ambiguous);
    EXPECT_EQ(fault(BucketCall::create, Fault::invalid), Fault::ambiguous);
    EXPECT_EQ(fault(BucketCall::create, Fault::unreachable), Fault::unreachable);
    EXPECT_EQ(fault(BucketCall::create, Fault::denied), Fault::denied);
    EXPECT_THAT(
        fault_without_bucket(BucketCall::create, place, Error{Fault::unreachable, "closed"}).text,
        HasSubstr("cannot create the object in bucket fleet at https://s3.example.com: "));
}

TEST(BucketAnswer, SaysAbsentOnlyOfAnObject) {
    EXPECT_TRUE(says_absent(answer(404, "NoSuchKey")));
    EXPECT_FALSE(says_absent(answer(404, "NoSuchBucket")));
    EXPECT_FALSE(says_absent(answer(404, "")));
    EXPECT_FALSE(says_absent(answer(200, "NoSuchKey")));
}

}  // namespace
}  // namespace keyturn
