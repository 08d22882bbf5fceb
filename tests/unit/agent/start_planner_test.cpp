#include "agent/start_planner.hpp"

#include "fakes/schedules.hpp"
#include "fakes/web_tunnel.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using testing::HasSubstr;
using testing::SizeIs;

/// Every 30 days, in the night to Sunday; last done on a Sunday.
class StartPlannerTest : public testing::Test {
  protected:
    StartPlannerTest() {
        policy_.schedule.every = days{30};
        policy_.schedule.splay = Milliseconds{0};
        policy_.schedule.windows = {window("Sun 02:00", 4h)};
        policy_.rollout.soak = 1min;
        state_.first_seen = utc("2026-01-01 00:00");
        state_.last_done = utc("2026-03-01 03:00");
    }

    void look(const std::string& time) { planner_.look(state_, 2, utc(time), boot_now_); }

    static HistoryEntry ended(Milliseconds took, Outcome outcome = Outcome::done) {
        HistoryEntry entry;
        entry.trigger = "schedule";
        entry.outcome = outcome;
        entry.started = utc("2026-03-01 02:00");
        entry.ended = entry.started + took;
        if (outcome != Outcome::refused) entry.new_fingerprint = "new";
        return entry;
    }

    [[nodiscard]] Milliseconds told_duration() const {
        const TunnelPlan plan = planner_.plan(state_, {a, b}, utc("2026-03-02 00:00"), 1);
        return *plan.starts.at(0).end - *plan.starts.at(0).start;
    }

    TunnelPolicy policy_ = web_policy();
    TunnelState state_;
    StartPlanner planner_{policy_, 0.0};
    BootTime boot_now_{1h};
};

TEST_F(StartPlannerTest, IsRotatedOnDemandOnlyWithoutASchedule) {
    policy_.schedule.every = Milliseconds{0};
    look("2026-03-02 00:00");
    EXPECT_FALSE(planner_.next());
    EXPECT_FALSE(planner_.start());
    EXPECT_FALSE(planner_.wake_up(utc("2026-03-02 00:00"), boot_now_));
}

TEST_F(StartPlannerTest, WakesWhenTheTokenIsDueAndWhenItStarts) {
    const WallTime due = utc("2026-03-31 03:00");
    look("2026-03-31 02:00");
    EXPECT_EQ(planner_.start(), utc("2026-04-05 02:00"));
    EXPECT_EQ(planner_.wake_up(due - 1h, boot_now_), boot_now_ + 1h) << "to say that it waits";
    EXPECT_EQ(planner_.wake_up(due, boot_now_), boot_now_ + (*planner_.start() - due));
}

TEST_F(StartPlannerTest, SaysOnceWhatAStartWaitsFor) {
    look("2026-03-31 04:00");
    const std::optional<Event> told = planner_.take_postponement(utc("2026-03-31 04:00"));
    ASSERT_TRUE(told);
    EXPECT_EQ(told->kind, EventKind::rotation_postponed);
    EXPECT_EQ(told->result, "window");
    EXPECT_THAT(told->message, HasSubstr("2026-04-05T02:00:00Z"));
    EXPECT_FALSE(planner_.take_postponement(utc("2026-03-31 05:00")));
}

TEST_F(StartPlannerTest, SaysAgainWhatTheNextStartWaitsFor) {
    look("2026-03-31 04:00");
    EXPECT_TRUE(planner_.take_postponement(utc("2026-03-31 04:00")));
    state_.last_done = utc("2026-04-05 02:10");
    look("2026-04-05 03:00");
    EXPECT_FALSE(planner_.take_postponement(utc("2026-04-05 03:00"))) << "it is not due";
    look("2026-05-06 00:00");
    EXPECT_TRUE(planner_.take_postponement(utc("2026-05-06 00:00")));
}

TEST_F(StartPlannerTest, AlarmsWhereNoWindowIsLongEnough) {
    policy_.rollout.soak = 24h;
    look("2026-03-31 04:00");
    const std::optional<Event> told = planner_.take_postponement(utc("2026-03-31 04:00"));
    ASSERT_TRUE(told);
    EXPECT_EQ(told->priority, Priority::alert);
    EXPECT_THAT(told->message, HasSubstr("no window of the policy is that long"));
}

TEST_F(StartPlannerTest, PutsAStartOffWhateverIsDoneToTheWallClock) {
    const WallTime now = utc("2026-04-05 03:00");
    look("2026-04-05 03:00");
    ASSERT_LE(*planner_.start(), now);
    planner_.postpone(15min, now, boot_now_);
    EXPECT_EQ(planner_.start(), now + 15min);
    EXPECT_EQ(planner_.wake_up(now - 24h, boot_now_), boot_now_ + 15min) << "set back by a day";
    boot_now_ += 15min;
    look("2026-04-04 03:15");
    EXPECT_EQ(planner_.start(), utc("2026-04-05 02:00")) << "it is over";
}

TEST_F(StartPlannerTest, WaitsAWhileAfterARotationThatWasReverted) {
    look("2026-04-05 03:00");
    const std::optional<WallTime> before = planner_.start();
    HistoryEntry reverted = ended(10min, Outcome::reverted);
    reverted.ended = utc("2026-04-05 02:30");
    planner_.recall({reverted});
    look("2026-04-05 03:00");
    EXPECT_GT(planner_.start(), before);
    planner_.recall({reverted, ended(1min, Outcome::refused)});
    look("2026-04-05 03:00");
    EXPECT_GT(planner_.start(), before) << "a refusal changes nothing";
    HistoryEntry moved = ended(1min, Outcome::adopted);
    moved.old_fingerprint = moved.new_fingerprint;
    planner_.recall({reverted, moved});
    look("2026-04-05 03:00");
    EXPECT_GT(planner_.start(), before) << "the token is the same";
}

TEST_F(StartPlannerTest, IsNotPutOffByUnitsThatMovedBack) {
    look("2026-04-05 03:00");
    const std::optional<WallTime> before = planner_.start();
    HistoryEntry moved_back = ended(10min, Outcome::reverted);
    moved_back.ended = utc("2026-04-05 02:30");
    moved_back.old_fingerprint = moved_back.new_fingerprint;
    planner_.recall({moved_back});
    look("2026-04-05 03:00");
    EXPECT_EQ(planner_.start(), before);
}

TEST_F(StartPlannerTest, TellsHowLongTheMiddleOneOfTheLastRotationsTook) {
    look("2026-03-02 00:00");
    const Milliseconds expected = told_duration();
    planner_.recall({ended(7min), ended(72h), ended(9min), ended(8min, Outcome::refused)});
    EXPECT_EQ(told_duration(), 9min);
    HistoryEntry compromise = ended(1min);
    compromise.trigger = "compromised";
    planner_.recall({compromise, ended(-5min)});
    EXPECT_EQ(told_duration(), expected) << "neither says how long a routine rotation takes";
}

TEST_F(StartPlannerTest, PlansTheBatchesOfTheUnitsThatThereAre) {
    look("2026-03-02 00:00");
    const TunnelPlan plan = planner_.plan(state_, {a, b, c}, utc("2026-03-02 00:00"), 2);
    EXPECT_THAT(plan.starts, SizeIs(2));
    EXPECT_EQ(plan.starts[0].cause, "window");
    int units = 0;
    for (const int batch : plan.batches) units += batch;
    EXPECT_EQ(units, 3);
}

}  // namespace
}  // namespace keyturn
