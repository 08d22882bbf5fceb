#include "agent/look_times.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

class LookTimesTest : public testing::Test {
  protected:
    void fail(std::chrono::seconds retry_after = 0s) {
        Error error{Fault::unreachable, "no route", {}};
        error.retry_after = retry_after;
        times_.begin_look(now_);
        times_.failed(error, now_);
    }

    [[nodiscard]] Milliseconds until_look() const { return times_.cloudflare() - now_; }

    DriftPolicy policy_;  // 15 minutes, and a minute for the units alone.
    LookTimes times_{policy_};
    BootTime now_{24h};
};

TEST_F(LookTimesTest, AreDueAtOnceAtFirst) {
    EXPECT_LE(times_.cloudflare(), now_);
    EXPECT_LE(times_.units(), now_);
}

TEST_F(LookTimesTest, FollowThePolicyAfterALook) {
    times_.begin_look(now_);
    EXPECT_EQ(until_look(), 15min);
    EXPECT_EQ(times_.units() - now_, 1min);
    now_ += 1min;
    times_.begin_units_look(now_);
    EXPECT_EQ(until_look(), 14min) << "a look at the units alone tells nothing of Cloudflare";
    EXPECT_EQ(times_.units() - now_, 1min);
}

TEST_F(LookTimesTest, ComeSoonerAfterAFailureAndThenMoreRarely) {
    for (const Milliseconds pause : {1min, 2min, 4min, 8min, 15min, 15min}) {
        fail();
        EXPECT_EQ(until_look(), pause);
        now_ = times_.cloudflare();
    }
    times_.begin_look(now_);
    times_.succeeded();
    now_ = times_.cloudflare();
    fail();
    EXPECT_EQ(until_look(), 1min) << "the failures before that are forgotten";
}

TEST_F(LookTimesTest, RespectWhatCloudflareAsksFor) {
    fail(300s);
    EXPECT_EQ(until_look(), 5min);
}

TEST_F(LookTimesTest, AllowOneLookOutOfTurnAMinute) {
    times_.begin_look(now_);
    now_ += 10s;
    times_.look_soon(now_);
    EXPECT_EQ(until_look(), 0ms);
    times_.begin_look(now_);
    now_ += 10s;
    times_.look_soon(now_);
    EXPECT_EQ(until_look(), 50s);
    times_.look_soon(now_);
    EXPECT_EQ(until_look(), 50s) << "asked twice is asked once";
}

TEST_F(LookTimesTest, DoNotPutALookOffThatIsSooner) {
    times_.begin_look(now_);
    times_.look_again(now_, 30s);
    times_.look_again(now_);
    EXPECT_EQ(until_look(), 30s);
}

TEST_F(LookTimesTest, LookAtAUnitWhoseJobHasEndedOnce) {
    times_.begin_look(now_);
    EXPECT_TRUE(times_.unit_job_ended(now_));
    EXPECT_EQ(times_.units() - now_, job_pause);
    EXPECT_FALSE(times_.unit_job_ended(now_ + 1s)) << "jobs that follow each other are one reason";
    EXPECT_EQ(times_.units() - now_, job_pause);
}

}  // namespace
}  // namespace keyturn
