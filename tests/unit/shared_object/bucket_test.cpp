#include "shared_object/bucket.hpp"

#include "fakes/scripted_http.hpp"
#include "fakes/simulated_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using Found = ObjectReading::Found;

constexpr auto no_such_key = "<Error><Code>NoSuchKey</Code></Error>";
constexpr auto some_tag = "\"0123\"";

class BucketTest : public testing::Test {
  protected:
    BucketTest() {
        options.endpoint = "https://account.r2.cloudflarestorage.com";
        options.bucket = "fleet";
        options.key = "keyturn/v1/account/tunnel a";
        options.read_credential = [this]() -> Result<Secret> {
            ++credentials_read;
            return Secret::copy_of("KEYID hunter2");
        };
    }

    SharedObject& bucket() {
        if (!bucket_) bucket_ = make_bucket(http, clock, options);
        return *bucket_;
    }

    std::string header(const std::string& name) { return http.asked.back().headers[name]; }

    boost::asio::io_context context;
    SimulatedClock clock{context};
    ScriptedHttp http;
    BucketOptions options;
    int credentials_read = 0;

  private:
    std::unique_ptr<SharedObject> bucket_;
};

TEST_F(BucketTest, ReadsWithASignature) {
    http.will_answer(200, "text", {{"etag", some_tag}});
    const auto reading = finished(bucket().read(""));
    ASSERT_TRUE(reading) << reading.error().text;
    EXPECT_EQ(*reading, (ObjectReading{Found::present, "text", "0123"}));
    const auto& asked = http.asked.back();
    EXPECT_EQ(asked.method, "GET");
    EXPECT_EQ(asked.origin, (HttpOrigin{"account.r2.cloudflarestorage.com", "443", true}));
    EXPECT_EQ(asked.target, "/fleet/keyturn/v1/account/tunnel%20a");
    EXPECT_EQ(header("X-Amz-Date"), "20260301T023000Z");
    EXPECT_THAT(header("Authorization"),
                HasSubstr("Credential=KEYID/20260301/auto/s3/aws4_request, "
                          "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="));
    EXPECT_THAT(header("Authorization"), Not(HasSubstr("hunter2")));
    EXPECT_FALSE(asked.headers.contains("If-None-Match"));
}

TEST_F(BucketTest, PollsWithTheKnownVersion) {
    http.will_answer(304, "");
    const auto unchanged = finished(bucket().read("0123"));
    ASSERT_TRUE(unchanged) << unchanged.error().text;
    EXPECT_EQ(*unchanged, (ObjectReading{Found::unchanged, "", "0123"}));
    EXPECT_EQ(header("If-None-Match"), some_tag);
    EXPECT_THAT(header("Authorization"), HasSubstr(";if-none-match;"));
    http.will_answer(200, "text", {{"etag", some_tag}});
    EXPECT_EQ(finished(bucket().read("0123"))->found, Found::unchanged);
    http.will_answer(404, no_such_key);
    EXPECT_EQ(*finished(bucket().read("0123")), ObjectReading());
}

TEST_F(BucketTest, TakesNoAnswerForAnObjectThatIsNone) {
    http.will_answer(304, "");
    EXPECT_EQ(finished(bucket().read("")).error().fault, Fault::invalid);
    http.will_answer(200, "<html>log in</html>");
    EXPECT_EQ(finished(bucket().read("")).error().fault, Fault::invalid);
    http.will_answer(200, std::string(object_bytes_max, 'a'), {{"etag", some_tag}});
    EXPECT_THAT(finished(bucket().read("")).error().text, HasSubstr("too large"));
    http.will_answer(404, "<html>not here</html>");
    EXPECT_EQ(finished(bucket().read("")).error().fault, Fault::invalid);
}

TEST_F(BucketTest, CreatesAndReplacesUnderACondition) {
    http.will_answer(200, "", {{"etag", some_tag}});
    EXPECT_EQ(finished(bucket().swap("", "one")).value(), "0123");
    EXPECT_EQ(header("If-None-Match"), "*");
    EXPECT_EQ(http.asked.back().method, "PUT");
    EXPECT_EQ(http.asked.back().body, "one");
    http.will_answer(200, "", {{"etag", "\"4567\""}});
    EXPECT_EQ(finished(bucket().swap("0123", "two")).value(), "4567");
    EXPECT_EQ(header("If-Match"), some_tag);
    EXPECT_THAT(header("Authorization"), HasSubstr("SignedHeaders=content-type;host;if-match;"));
}

TEST_F(BucketTest, AsksOnceWhateverTheAnswer) {
    http.will_answer(412, "");
    EXPECT_EQ(finished(bucket().swap("0123", "two")).error().fault, Fault::conflict);
    http.will_answer(500, "");
    EXPECT_EQ(finished(bucket().swap("0123", "two")).error().fault, Fault::ambiguous);
    http.will_answer(200, "");
    EXPECT_EQ(finished(bucket().swap("0123", "two")).error().fault, Fault::ambiguous);
    http.will_fail(Error{Fault::ambiguous, "closed"});
    EXPECT_EQ(finished(bucket().swap("0123", "two")).error().fault, Fault::ambiguous);
    EXPECT_EQ(http.asked.size(), 4U);
}

TEST_F(BucketTest, SendsNothingThatIsTooLarge) {
    const std::string text(object_bytes_max, 'a');
    EXPECT_EQ(finished(bucket().swap("", text)).error().fault, Fault::invalid);
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(BucketTest, ReadsTheCredentialForEachCallAndNeverQuotesIt) {
    for (int i = 0; i < 2; ++i) {
        http.will_answer(404, no_such_key);
        EXPECT_TRUE(finished(bucket().read("")));
    }
    EXPECT_EQ(credentials_read, 2);
    options.read_credential = [] { return Result<Secret>(Secret::copy_of("hunter2")); };
    const auto other = make_bucket(http, clock, options);
    const auto reading = finished(other->read(""));
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().fault, Fault::denied);
    EXPECT_THAT(reading.error().text, Not(HasSubstr("hunter2")));
    options.read_credential = [] { return Error{Fault::unreachable, "being replaced"}; };
    EXPECT_EQ(finished(make_bucket(http, clock, options)->read("")).error().fault,
              Fault::unreachable);
    EXPECT_EQ(http.asked.size(), 2U);
}

TEST_F(BucketTest, NamesTheKeyOfThePolicyThatIsWrong) {
    const auto why = [&](const auto& change) {
        BucketOptions wrong = options;
        change(wrong);
        const auto reading = finished(make_bucket(http, clock, wrong)->read(""));
        EXPECT_EQ(reading.error().fault, Fault::invalid);
        return reading.error().text;
    };
    EXPECT_THAT(why([](auto& o) { o.endpoint = "r2"; }), HasSubstr("`endpoint`"));
    EXPECT_THAT(why([](auto& o) { o.endpoint = "http://s3.example.com"; }),
                HasSubstr("`endpoint`"));
    EXPECT_THAT(why([](auto& o) { o.bucket = "a/b"; }), HasSubstr("`bucket`"));
    EXPECT_THAT(why([](auto& o) { o.bucket = ".."; }), HasSubstr("`bucket`"));
    EXPECT_THAT(why([](auto& o) { o.region = "a b"; }), HasSubstr("`region`"));
    EXPECT_THAT(why([](auto& o) { o.key = "a//b"; }), HasSubstr("key"));
    EXPECT_THAT(why([](auto& o) { o.key = "../b"; }), HasSubstr("key"));
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(BucketTest, TriesTheOtherFormOfETagsOnlyWhileItChecks) {
    http.will_answer(412, "");
    EXPECT_EQ(finished(bucket().swap("0123", "x")).error().fault, Fault::conflict);
    http.will_answer(204, "");                          // Clears what an older check left.
    http.will_answer(200, "", {{"etag", "\"1\""}});     // Creates.
    http.will_answer(412, "");                          // Does not create again.
    http.will_answer(412, "");                          // Replaces, with quotes.
    http.will_answer(200, "", {{"etag", "\"2\""}});     // Replaces, without.
    http.will_answer(412, "");                          // Does not replace what is no more.
    http.will_answer(200, "two", {{"etag", "\"2\""}});  // Reads.
    http.will_answer(204, "");                          // Removes it.
    const auto checked = finished(bucket().check_conditions("host-a"));
    EXPECT_TRUE(checked) << checked.error().text;
    EXPECT_EQ(http.asked[1].target, "/fleet/keyturn/v1/account/tunnel%20a/selftest/host-a");
    http.will_answer(412, "");
    EXPECT_EQ(finished(bucket().swap("0123", "x")).error().fault, Fault::conflict);
    EXPECT_EQ(header("If-Match"), "0123");
    EXPECT_EQ(http.asked.size(), 10U);
}

TEST_F(BucketTest, RefusesAScratchNameThatLeadsElsewhere) {
    for (const auto* name : {"", "a/b", "..", "a b"}) {
        EXPECT_EQ(finished(bucket().check_conditions(name)).error().fault, Fault::invalid) << name;
    }
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(BucketTest, AsksWhetherOldVersionsAreKept) {
    const auto keeps = [&](int status, std::string_view body) {
        http.will_answer(status, body);
        return finished(bucket_keeps_versions(http, clock, options));
    };
    EXPECT_TRUE(keeps(200, "<V><Status>Enabled</Status></V>").value());
    EXPECT_EQ(http.asked.back().target, "/fleet?versioning=");
    EXPECT_FALSE(keeps(200, "<V><Status>Suspended</Status></V>").value());
    EXPECT_FALSE(keeps(200, "<V/>").value());
    EXPECT_FALSE(keeps(501, "<Error><Code>NotImplemented</Code></Error>").value());
    EXPECT_EQ(keeps(403, "<Error><Code>AccessDenied</Code></Error>").error().fault, Fault::denied);
}

}  // namespace
}  // namespace keyturn
