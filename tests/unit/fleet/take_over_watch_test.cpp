#include "fleet/take_over_watch.hpp"

#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

/// Three hosts that may lead, a rotation that host-1 leads, and a host that watches.
class TakeOverWatchTest : public testing::Test {
  protected:
    TakeOverWatchTest() {
        for (auto& [host, member] : document_.members) member.eligible = true;
    }

    /// Looks every ten seconds for this long.
    void watch_for(Milliseconds time) {
        const BootTime end = now_ + time;
        for (; now_ < end; now_ += 10s) watch_.look(document_, now_);
        now_ = end;
        watch_.look(document_, now_);
    }

    [[nodiscard]] bool may_take_over(const std::string& host = "host-2") const {
        return watch_.overdue(host, now_).has_value();
    }

    FleetDocument document_ = rolling_fleet(3);
    BootTime now_{1h};
    TakeOverWatch watch_{FleetTimes()};
};

TEST_F(TakeOverWatchTest, IsOverWhenTheObjectHasNotChangedForLong) {
    watch_for(89s);
    EXPECT_FALSE(may_take_over());
    watch_for(1s);
    const auto silent = watch_.overdue("host-2", now_);
    ASSERT_TRUE(silent);
    EXPECT_EQ(silent->epoch, rolling_epoch);
    EXPECT_EQ(silent->lead, (FleetLead{"host-1", 5}));
}

TEST_F(TakeOverWatchTest, ABeatOrAnyOtherWriteStartsTheWaitAnew) {
    watch_for(80s);
    ++document_.lead->beat;
    watch_for(80s);
    EXPECT_FALSE(may_take_over());
    ++document_.rev;
    watch_for(80s);
    EXPECT_FALSE(may_take_over());
    watch_for(10s);
    EXPECT_TRUE(may_take_over());
}

TEST_F(TakeOverWatchTest, EachFurtherHostWaitsLonger) {
    watch_for(90s);
    EXPECT_TRUE(may_take_over("host-2"));
    EXPECT_FALSE(may_take_over("host-3"));
    watch_for(30s);
    EXPECT_TRUE(may_take_over("host-3"));
}

TEST_F(TakeOverWatchTest, AGapInWhichThisHostSawNothingStartsTheWaitAnew) {
    watch_for(80s);
    now_ += 31s;
    EXPECT_FALSE(may_take_over()) << "the last look is too old";
    watch_for(80s);
    EXPECT_FALSE(may_take_over());
    watch_for(10s);
    EXPECT_TRUE(may_take_over());
}

TEST_F(TakeOverWatchTest, AHostThatLedBeforeItsRestartGoesOnAtOnce) {
    watch_.look(document_, now_);
    EXPECT_TRUE(may_take_over("host-1"));
}

TEST_F(TakeOverWatchTest, ALeadThatHasAbdicatedIsFollowedSoon) {
    document_.lead.reset();
    watch_.look(document_, now_);
    EXPECT_TRUE(may_take_over("host-1")) << "the first one";
    EXPECT_FALSE(may_take_over("host-2"));
    watch_for(20s);
    EXPECT_TRUE(may_take_over("host-2"));
    EXPECT_FALSE(may_take_over("host-3"));
}

TEST_F(TakeOverWatchTest, ThereIsNothingToTakeOverWithoutARotation) {
    EXPECT_FALSE(may_take_over()) << "nothing was seen yet";
    document_ = idle_fleet(3);
    watch_for(10min);
    EXPECT_FALSE(may_take_over());
    EXPECT_FALSE(may_take_over("host-1"));
}

TEST(RankOf, CountsTheHostsThatComeBefore) {
    FleetDocument document = idle_fleet(4);
    document.members.at("host-2").eligible = false;
    document.members.at("host-3").eligible = true;
    EXPECT_EQ(rank_of(document, "host-1"), 0);
    EXPECT_EQ(rank_of(document, "host-3"), 1) << "host-2 may not lead";
    EXPECT_EQ(rank_of(document, "host-4"), 2);
    document.lead = FleetLead{"host-1", 0};
    EXPECT_EQ(rank_of(document, "host-3"), 0) << "the lead is the one that is silent";
}

TEST(FleetTimes, AreScaledTogether) {
    const FleetTimes times = FleetTimes().scaled(0.1);
    EXPECT_EQ(times.idle_look, 6s);
    EXPECT_EQ(times.take_over, 9s);
    EXPECT_EQ(times.useless, 6s);
}

}  // namespace
}  // namespace keyturn
