#include "integration/peers/certificates.hpp"
#include "integration/shared_object/s3_model.hpp"
#include "shared_object/bucket.hpp"

#include <algorithm>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string key = "keyturn/v1/account/tunnel";

/// The client of buckets and the model, which does what the test wants.
class BucketFaults : public StoreTest {
  protected:
    BucketFaults() {
        client.ca_file = test_authority_file();
        options = s3_options(model.endpoint(), key);
        // Far off, so that a busy machine does not reach it.
        options.deadline = 30s;
    }

    SharedObject& bucket() {
        if (!bucket_) {
            http_ = make_http_client(context.get_executor(), client);
            bucket_ = make_bucket(*http_, *clock, options);
        }
        return *bucket_;
    }

    /// The next bucket has the options of that moment.
    void leave() { bucket_.reset(); }

    Result<ObjectReading> read(const ObjectVersion& known = "") {
        return finished(bucket().read(known));
    }
    Result<ObjectVersion> swap(const ObjectVersion& from, const std::string& text) {
        return finished(bucket().swap(from, text));
    }

    template <class T>
    static void expect_fault(const Result<T>& result, Fault fault, const std::string& text) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault, fault) << result.error().text;
        EXPECT_THAT(result.error().text, HasSubstr(text));
        EXPECT_THAT(result.error().text, Not(HasSubstr("secretsecretsecret")));
        EXPECT_THAT(result.error().text, Not(HasSubstr("Signature=")));
    }

    /// How many writes the store has been asked for.
    std::size_t writes() const {
        const std::string calls = model.control("GET", "/calls");
        std::size_t count = 0;
        for (auto at = calls.find("\"PUT\""); at != std::string::npos;
             at = calls.find("\"PUT\"", at + 1)) {
            ++count;
        }
        return count;
    }

    S3Model model;
    HttpClientOptions client;
    BucketOptions options;

  private:
    std::unique_ptr<HttpClient> http_;
    std::unique_ptr<SharedObject> bucket_;
};

TEST_F(BucketFaults, AWriteWhoseAnswerIsLostIsAmbiguousAndSentOnce) {
    for (const auto* how : {"apply-close", "close", "apply-status", "status"}) {
        const ObjectVersion before = read().value().version;
        const std::size_t asked = writes();
        model.fail(std::string(R"({"method": "PUT", "do": ")") + how + "\"}");
        const std::string text = std::string("written with ") + how;
        expect_fault(swap(before, text), Fault::ambiguous, "object in bucket fleet at");
        EXPECT_EQ(writes(), asked + 1);
        const bool done = std::string(how).starts_with("apply");
        EXPECT_EQ(read().value().text == text, done) << how;
    }
}

TEST_F(BucketFaults, AReadThatFailsMayBeAskedAgain) {
    for (const auto* fault :
         {R"({"do": "status", "status": 500})", R"({"do": "status", "status": 503, "code": "X"})",
          R"({"do": "close", "times": 2})"}) {
        model.fail(fault);
        expect_fault(read(), Fault::unreachable, "cannot read the object");
        EXPECT_TRUE(read());
    }
}

TEST_F(BucketFaults, AStoreThatStaysSilentIsLeftInTime) {
    options.deadline = 300ms;
    const BootTime begin = clock->boot_now();
    model.fail(R"({"method": "PUT", "do": "apply-hang"})");
    expect_fault(swap("", "one"), Fault::ambiguous, "no answer within 300 ms");
    model.fail(R"({"method": "GET", "do": "hang"})");
    expect_fault(read(), Fault::unreachable, "no answer within 300 ms");
    EXPECT_LT(clock->boot_now() - begin, 10s);
}

TEST_F(BucketFaults, AStoreThatSaysLaterIsBusyAndDidNothing) {
    model.fail(R"({"do": "status", "status": 429, "code": "TooManyRequests"})");
    const auto first = swap("", "one");
    expect_fault(first, Fault::busy, "HTTP 429, TooManyRequests");
    EXPECT_EQ(first.error().retry_after, 1s);
    model.fail(R"({"do": "status", "status": 503, "code": "SlowDown",
                   "headers": {"Retry-After": "4"}})");
    const auto second = swap("", "one");
    expect_fault(second, Fault::busy, "SlowDown");
    EXPECT_EQ(second.error().retry_after, 4s);
    EXPECT_EQ(read().value(), ObjectReading());
}

TEST_F(BucketFaults, TheCheckKeepsTheIntervalOfAStoreWithOneWriteASecond) {
    model.set(R"({"seconds_between_writes": 1.0})");
    const auto checked = finished(bucket().check_conditions("host-a"));
    EXPECT_TRUE(checked) << checked.error().text;
}

TEST_F(BucketFaults, AStoreThatIgnoresConditionsIsRefused) {
    for (const auto* knob :
         {R"({"ignore_conditions": true})", R"({"ignore_if_none_match": true})"}) {
        model.set(knob);
        expect_fault(finished(bucket().check_conditions("host-a")), Fault::invalid,
                     "ignores conditions");
        model.control("DELETE", "/knobs");
    }
    const auto checked = finished(bucket().check_conditions("host-a"));
    EXPECT_TRUE(checked) << checked.error().text;
    EXPECT_THAT(model.control("GET", "/calls"), HasSubstr("/selftest/host-a"));
}

TEST_F(BucketFaults, ACheckThatWasCutOffIsRepeated) {
    model.control("PUT", "/object?key=" + key + "/selftest/host-a", "left over");
    const auto checked = finished(bucket().check_conditions("host-a"));
    EXPECT_TRUE(checked) << checked.error().text;
    model.fail(R"({"method": "PUT", "do": "apply-status", "after": 2})");
    expect_fault(finished(bucket().check_conditions("host-a")), Fault::ambiguous, "HTTP 500");
    EXPECT_TRUE(finished(bucket().check_conditions("host-a")));
}

TEST_F(BucketFaults, AStoreWithBareETagsIsUsedAfterTheCheck) {
    model.set(R"({"bare_etags": true})");
    const auto first = swap("", "one");
    ASSERT_TRUE(first);
    expect_fault(swap(*first, "two"), Fault::conflict, "another host was faster");
    const auto checked = finished(bucket().check_conditions("host-a"));
    ASSERT_TRUE(checked) << checked.error().text;
    const auto second = swap(*first, "two");
    ASSERT_TRUE(second) << second.error().text;
    EXPECT_EQ(read(*second).value().found, Found::unchanged);
    expect_fault(swap(*first, "three"), Fault::conflict, "HTTP 412");
}

TEST_F(BucketFaults, WhatHappensToTheObjectIsSeen) {
    const auto first = swap("", "one").value();
    const auto second = swap(first, "two").value();
    model.control("PUT", "/object?key=" + key, "one");
    EXPECT_EQ(read(second).value(), (ObjectReading{Found::present, "one", first}));
    model.control("PUT", "/object?key=" + key, "garbage\xff");
    EXPECT_EQ(read(second).value().text, "garbage\xff");
    model.control("PUT", "/object?key=" + key, std::string(object_bytes_max, 'x'));
    expect_fault(read(second), Fault::invalid, "too large");
    model.control("DELETE", "/object?key=" + key);
    EXPECT_EQ(read(second).value(), ObjectReading());
    expect_fault(swap(second, "three"), Fault::conflict, "HTTP 412");
    model.set(R"({"missing_is_404": true})");
    expect_fault(swap(second, "three"), Fault::conflict, "HTTP 404, NoSuchKey");
}

TEST_F(BucketFaults, APageIsNoObject) {
    model.fail(R"({"do": "garble", "status": 200})");
    expect_fault(read(), Fault::invalid, "makes no sense");
    model.fail(R"({"do": "garble", "status": 404})");
    expect_fault(read(), Fault::invalid, "correct `endpoint`");
    model.fail(R"({"do": "garble", "status": 200})");
    expect_fault(swap("", "one"), Fault::ambiguous, "makes no sense");
}

TEST_F(BucketFaults, AClockThatIsWrongIsNamed) {
    for (const auto* skew :
         {R"({"clock_skew_seconds": 3600})", R"({"clock_skew_seconds": -3600})"}) {
        model.set(skew);
        expect_fault(read(), Fault::denied,
                     "HTTP 403, RequestTimeTooSkewed: the clock of this host");
        expect_fault(swap("", "one"), Fault::denied, "timedatectl");
    }
    model.set(R"({"clock_skew_seconds": 600})");
    EXPECT_TRUE(read());
}

TEST_F(BucketFaults, ACredentialThatIsWrongIsNamed) {
    const auto with = [&](const std::string& text) {
        options.read_credential = [text] { return Result<Secret>(Secret::copy_of(text)); };
        leave();
    };
    with("KEYTURNTEST secretsecretwrong");
    expect_fault(read(), Fault::denied, "SignatureDoesNotMatch: the secret access key");
    with("ANOTHERKEY secretsecretsecret");
    expect_fault(read(), Fault::denied, "InvalidAccessKeyId: the store does not know");
    with("secretsecretsecret");
    expect_fault(read(), Fault::denied, "only one word");
    with(s3_credential);
    model.set(R"({"read_only": true})");
    EXPECT_TRUE(read());
    expect_fault(swap("", "one"), Fault::denied, "AccessDenied: the credential may not");
}

TEST_F(BucketFaults, APlaceThatIsWrongIsNamed) {
    options.bucket = "other";
    leave();
    expect_fault(read(), Fault::missing, "NoSuchBucket");
    expect_fault(swap("", "one"), Fault::missing, "correct `bucket`");
    options.bucket = "fleet";
    leave();
    model.set(R"({"region": "eu-west-1"})");
    expect_fault(read(), Fault::invalid, "correct `region`");
    options.region = "eu-west-1";
    leave();
    EXPECT_TRUE(read());
    options.endpoint = "https://127.0.0.1:1";
    leave();
    expect_fault(read(), Fault::unreachable, "https://127.0.0.1:1");
    expect_fault(swap("", "one"), Fault::unreachable, "https://127.0.0.1:1");
}

TEST_F(BucketFaults, ACertificateThatDoesNotVerifyIsDenied) {
    client.ca_file.clear();
    expect_fault(read(), Fault::denied, "certificate");
    expect_fault(swap("", "one"), Fault::denied, "certificate");
}

TEST_F(BucketFaults, VersioningIsFound) {
    const auto http = make_http_client(context.get_executor(), client);
    const auto keeps = [&] { return finished(bucket_keeps_versions(*http, *clock, options)); };
    EXPECT_FALSE(keeps().value());
    model.set(R"({"versioning": "Enabled"})");
    EXPECT_TRUE(keeps().value());
    model.set(R"({"versioning": "none"})");
    EXPECT_FALSE(keeps().value());
    model.set(R"({"no_bucket": true})");
    expect_fault(keeps(), Fault::missing, "NoSuchBucket");
}

}  // namespace
}  // namespace keyturn
