#include "shared_object/etcd.hpp"

#include "fakes/scripted_http.hpp"
#include "fakes/simulated_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;
using Found = ObjectReading::Found;

constexpr auto absent =
    R"({"header":{"revision":"9"},"succeeded":true,"responses":[{"response_range":{}}]})";
constexpr auto swapped = R"({"header":{"revision":"8"},"succeeded":true})";
constexpr auto old_token = R"({"message":"etcdserver: invalid auth token","code":16})";
constexpr auto no_quorum = R"({"message":"etcdserver: request timed out","code":14})";

class EtcdTest : public testing::Test {
  protected:
    EtcdTest() {
        options.endpoints = {"https://10.0.0.1:2379", "https://10.0.0.2:2379",
                             "https://10.0.0.3:2379"};
        options.key = "keyturn/v1/a/t";
    }

    SharedObject& etcd() {
        if (!etcd_) etcd_ = make_etcd(http, clock, options);
        return *etcd_;
    }

    void with_user() {
        options.user = "keyturn";
        options.read_password = [this]() -> Result<Secret> {
            ++passwords_read;
            return Secret::copy_of("hunter2\n");
        };
    }

    boost::asio::io_context context;
    SimulatedClock clock{context};
    ScriptedHttp http;
    EtcdOptions options;
    int passwords_read = 0;

  private:
    std::unique_ptr<SharedObject> etcd_;
};

TEST_F(EtcdTest, ReadsWithoutALoginWhereThereIsNoUser) {
    http.will_answer(200, absent);
    EXPECT_EQ(finished(etcd().read("")).value(), ObjectReading());
    EXPECT_EQ(http.asked[0].method, "POST");
    EXPECT_EQ(http.asked[0].target, "/v3/kv/txn");
    EXPECT_EQ(http.asked[0].origin.host, "10.0.0.1");
    EXPECT_TRUE(http.asked[0].headers.empty());
}

TEST_F(EtcdTest, AReadGoesToTheNextEndpointAndStaysThere) {
    http.will_fail(Error{Fault::unreachable, "refused"});
    http.will_answer(503, no_quorum);
    http.will_answer(200, absent);
    EXPECT_TRUE(finished(etcd().read("")));
    http.will_answer(200, absent);
    EXPECT_TRUE(finished(etcd().read("")));
    EXPECT_EQ(http.asked[2].origin.host, "10.0.0.3");
    EXPECT_EQ(http.asked[3].origin.host, "10.0.0.3");
    for (int i = 0; i < 3; ++i) http.will_fail(Error{Fault::ambiguous, "closed"});
    EXPECT_EQ(finished(etcd().read("")).error().fault, Fault::unreachable);
    EXPECT_EQ(http.asked.size(), 7U);
}

TEST_F(EtcdTest, ASwapGoesToTheNextEndpointOnlyIfNothingWasSent) {
    http.will_fail(Error{Fault::unreachable, "refused"});
    http.will_answer(200, swapped);
    EXPECT_EQ(finished(etcd().swap("7", "two")).value(), "8");
    http.will_answer(503, no_quorum);
    EXPECT_EQ(finished(etcd().swap("8", "three")).error().fault, Fault::ambiguous);
    http.will_fail(Error{Fault::ambiguous, "closed"});
    EXPECT_EQ(finished(etcd().swap("8", "three")).error().fault, Fault::ambiguous);
    http.will_answer(200, "<html>");
    EXPECT_EQ(finished(etcd().swap("8", "three")).error().fault, Fault::ambiguous);
    http.will_answer(200, R"({"header":{"revision":"9"}})");
    EXPECT_EQ(finished(etcd().swap("8", "three")).error().fault, Fault::conflict);
    EXPECT_EQ(http.asked.size(), 6U);
}

TEST_F(EtcdTest, LogsInOnceAndAgainWhenTheTokenIsOld) {
    with_user();
    http.will_answer(200, R"({"token":"first.1"})");
    http.will_answer(200, absent);
    http.will_answer(200, absent);
    EXPECT_TRUE(finished(etcd().read("")));
    EXPECT_TRUE(finished(etcd().read("")));
    EXPECT_EQ(http.asked[0].target, "/v3/auth/authenticate");
    EXPECT_EQ(http.asked[0].body, R"({"name":"keyturn","password":"hunter2"})");
    EXPECT_EQ(http.asked[1].headers["Authorization"], "first.1");
    EXPECT_EQ(http.asked[2].headers["Authorization"], "first.1");
    EXPECT_EQ(passwords_read, 1);
    http.will_answer(401, old_token);
    http.will_answer(200, R"({"token":"second.2"})");
    http.will_answer(200, swapped);
    EXPECT_EQ(finished(etcd().swap("7", "two")).value(), "8");
    EXPECT_EQ(http.asked[5].headers["Authorization"], "second.2");
    http.will_answer(401, old_token);
    http.will_answer(200, R"({"token":"third.3"})");
    http.will_answer(401, old_token);
    EXPECT_EQ(finished(etcd().swap("8", "three")).error().fault, Fault::denied);
    EXPECT_EQ(http.asked.size(), 9U);
}

TEST_F(EtcdTest, APasswordThatCannotBeReadIsNamedAndNothingIsSent) {
    with_user();
    options.read_password = [] { return Error{Fault::unreachable, "being replaced"}; };
    EXPECT_EQ(finished(etcd().read("")).error().fault, Fault::unreachable);
    options.read_password = [] { return Result<Secret>(Secret::copy_of("hunter2\nx")); };
    const auto reading = finished(make_etcd(http, clock, options)->read(""));
    EXPECT_EQ(reading.error().fault, Fault::denied);
    EXPECT_THAT(reading.error().text, HasSubstr("the password for etcd"));
    EXPECT_THAT(reading.error().text, Not(HasSubstr("hunter2")));
    EXPECT_TRUE(http.asked.empty());
}

TEST_F(EtcdTest, NamesEndpointsThatAreNone) {
    options.endpoints.clear();
    EXPECT_THAT(finished(etcd().read("")).error().text, HasSubstr("`endpoints`"));
    for (const auto* url : {"10.0.0.1:2379", "http://10.0.0.1:2379", "https://u@x"}) {
        options.endpoints = {url};
        const auto reading = finished(make_etcd(http, clock, options)->read(""));
        EXPECT_EQ(reading.error().fault, Fault::invalid);
        EXPECT_THAT(reading.error().text, HasSubstr("`endpoints`"));
    }
    EXPECT_EQ(finished(etcd().swap("etag", "x")).error().fault, Fault::invalid);
    EXPECT_TRUE(http.asked.empty());
}

}  // namespace
}  // namespace keyturn
