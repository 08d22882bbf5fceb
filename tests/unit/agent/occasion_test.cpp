// Windows, freezes and places in the splay, as one agent follows them.
#include "agent/splay.hpp"
#include "fakes/schedules.hpp"
#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

using std::chrono::days;

/// Every 30 days from a Sunday at 02:30 UTC, in windows on Sundays at 02:00.
class OccasionTest : public TunnelAgentTest {
  protected:
    OccasionTest() {
        policy_.schedule.every = days{30};
        policy_.schedule.splay = Milliseconds{0};
        policy_.schedule.windows = {{parse_calendar("Sun 02:00").value(), 4h}};
        policy_.rollout.soak = 1min;
    }

    [[nodiscard]] std::size_t rotations() const { return host_->secrets_sent.size(); }

    [[nodiscard]] std::vector<Event> postponements() const {
        std::vector<Event> told;
        std::ranges::copy_if(log_.events, std::back_inserter(told), [](const Event& event) {
            return event.kind == EventKind::rotation_postponed;
        });
        return told;
    }

    /// Advances the clocks to a wall-clock time.
    void pass_to(const std::string& time) { pass(utc(time) - clock_.wall_now()); }

    void freeze_until(int day_of_april) {
        const std::chrono::local_days first{std::chrono::year{2026} / 3 / 30};
        const std::chrono::local_days end{std::chrono::year{2026} / 4 / day_of_april};
        policy_.schedule.freezes = {{first, end, "audit"}};
    }
};

TEST_F(OccasionTest, WaitsForItsWindowAndSaysSoOnce) {
    start_serving();
    pass_to("2026-03-31 02:00");
    EXPECT_TRUE(postponements().empty()) << "it is not due yet";
    EXPECT_EQ(to_text(status().due.value()), "2026-04-05T02:00:00Z");
    EXPECT_EQ(status().due_cause, "window");
    pass_to("2026-04-05 01:58");
    EXPECT_EQ(rotations(), 0U);
    ASSERT_EQ(postponements().size(), 1U);
    EXPECT_EQ(postponements()[0].result, "window");
    EXPECT_EQ(postponements()[0].priority, Priority::notice);
    EXPECT_THAT(
        postponements()[0].message,
        HasSubstr("web has been due since 2026-03-31T02:30:00Z and waits for its window: it "
                  "starts at 2026-04-05T02:00:00Z"));
    pass(10min);
    EXPECT_EQ(rotations(), 1U);
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_EQ(status().trigger, "schedule");
}

TEST_F(OccasionTest, MakesUpForMissedWindowsOnceAndInAWindow) {
    start_serving();
    stop();
    pass_to("2026-05-13 12:00");
    start();
    pass_to("2026-05-17 01:58");
    EXPECT_EQ(rotations(), 0U);
    pass(10min);
    EXPECT_EQ(rotations(), 1U);
    pass(days{29});
    EXPECT_EQ(rotations(), 1U);
}

TEST_F(OccasionTest, DoesNotStartWhatWouldNotEndInTheWindow) {
    policy_.rollout.soak = 45min;
    policy_.schedule.windows = {{parse_calendar("Sun 02:00").value(), 1h}};
    start_serving();
    stop();
    pass_to("2026-04-05 02:20");
    start();
    pass_to("2026-04-12 01:58");
    EXPECT_EQ(rotations(), 0U);
    pass(3h);
    EXPECT_EQ(rotations(), 1U);
}

TEST_F(OccasionTest, SaysWhatAFreezeIsFor) {
    policy_.schedule.windows.clear();
    freeze_until(3);
    start_serving();
    pass_to("2026-04-02 23:58");
    EXPECT_EQ(rotations(), 0U);
    ASSERT_EQ(postponements().size(), 1U);
    EXPECT_EQ(postponements()[0].result, "freeze");
    EXPECT_THAT(postponements()[0].message,
                HasSubstr("waits for the end of a freeze (audit): it starts at "
                          "2026-04-03T00:00:00Z"));
    pass(10min);
    EXPECT_EQ(rotations(), 1U);
}

TEST_F(OccasionTest, FreezeOverAWindowIsTheCauseOfTheWaitForTheNextOne) {
    freeze_until(7);
    start_serving();
    const TunnelPlan plan = agent_->plan(2);
    ASSERT_EQ(plan.starts.size(), 2U);
    EXPECT_EQ(to_text(plan.starts[0].start.value()), "2026-04-12T02:00:00Z");
    EXPECT_EQ(plan.starts[0].cause, "freeze");
    EXPECT_EQ(plan.starts[0].freeze, "a freeze (audit)");
    EXPECT_EQ(plan.starts[1].cause, "window");
    EXPECT_EQ(plan.starts[1].freeze, "");
    EXPECT_EQ(plan.timezone, "UTC");
    pass_to("2026-04-12 01:58");
    ASSERT_EQ(postponements().size(), 1U);
    EXPECT_THAT(postponements()[0].message,
                HasSubstr("a freeze (audit): it starts at 2026-04-12T02:00:00Z"));
}

TEST_F(OccasionTest, PlanNamesTheFreezeThatATooOldTokenWaitsFor) {
    policy_.schedule.max_age = days{32};
    freeze_until(4);
    start_serving();
    const TunnelPlan plan = agent_->plan(1);
    EXPECT_EQ(to_text(plan.starts[0].start.value()), "2026-04-04T00:00:00Z");
    EXPECT_EQ(plan.starts[0].cause, "max_age");
    EXPECT_EQ(plan.starts[0].freeze, "a freeze (audit)");
}

TEST_F(OccasionTest, PlanExpectsWhatTheLastRotationTook) {
    policy_.schedule.min_interval = Milliseconds{0};
    start_serving();
    const auto expected = [&] {
        const PlannedStart start = agent_->plan(1).starts[0];
        return *start.end - *start.start;
    };
    const Milliseconds by_policy = expected();
    request();
    pass(30s);
    decide(Decision::pause);
    pass(17min);
    decide(Decision::resume);
    pass(30min);
    ASSERT_EQ(status().last_outcome, "done");
    EXPECT_GT(expected(), by_policy + 16min);
    EXPECT_LT(expected(), by_policy + 18min);
    restart();
    EXPECT_GT(expected(), by_policy + 16min) << "it is in the history";
}

TEST_F(OccasionTest, TooOldATokenIsRotatedOutsideOfWindows) {
    policy_.schedule.max_age = days{32};
    start_serving();
    pass_to("2026-04-02 02:28");
    EXPECT_EQ(rotations(), 0U);
    EXPECT_EQ(status().due_cause, "max_age");
    EXPECT_TRUE(postponements().empty());
    pass(10min);
    EXPECT_EQ(rotations(), 1U);
}

TEST_F(OccasionTest, AlarmsWhereNoWindowIsLongEnough) {
    policy_.rollout.soak = 5h;
    start_serving();
    pass_to("2026-03-31 02:40");
    ASSERT_EQ(postponements().size(), 1U);
    EXPECT_EQ(postponements()[0].result, "never");
    EXPECT_EQ(postponements()[0].priority, Priority::alert);
    EXPECT_THAT(postponements()[0].message, HasSubstr("lengthen `windows`"));
    EXPECT_EQ(status().due, std::nullopt);
    EXPECT_EQ(status().due_cause, "never");
    pass(days{30});
    EXPECT_EQ(postponements().size(), 1U);
    EXPECT_EQ(rotations(), 0U);
}

TEST_F(OccasionTest, OperatorIsNotHeldUpByWindowsOrFreezes) {
    freeze_until(20);
    start_serving();
    pass_to("2026-04-01 12:00");
    request();
    pass(30min);
    EXPECT_EQ(rotations(), 1U);
}

TEST_F(OccasionTest, PausedTunnelIsNotPostponed) {
    start_serving();
    decide(Decision::pause);
    pass_to("2026-04-06 12:00");
    EXPECT_TRUE(postponements().empty());
    decide(Decision::resume);
    pass(1min);
    EXPECT_EQ(postponements().size(), 1U);
    EXPECT_EQ(to_text(status().due.value()), "2026-04-12T02:00:00Z");
}

TEST_F(OccasionTest, RefusedOneIsNotTriedAgainOutsideOfTheWindow) {
    start_serving();
    pass_to("2026-04-05 01:58");
    host_->api_down = no_write;
    pass_to("2026-04-05 12:00");
    host_->api_down.reset();
    pass_to("2026-04-12 01:58");
    EXPECT_EQ(rotations(), 0U);
    const auto refused = count(EventKind::rotation_refused);
    EXPECT_EQ(refused, 16) << "each 15 minutes while it fitted into the window";
    pass(30min);
    EXPECT_EQ(rotations(), 1U);
}

TEST(SplayShare, IsStableAndSpreadEvenly) {
    constexpr int count = 10'000;
    std::array<int, 10> tenths{};
    for (int i = 0; i < count; ++i) {
        const double share = splay_share("0123456789abcdef", std::to_string(i));
        ASSERT_GE(share, 0);
        ASSERT_LT(share, 1);
        ++tenths.at(static_cast<std::size_t>(share * 10));
    }
    for (const int in_a_tenth : tenths) EXPECT_NEAR(in_a_tenth, count / 10, 150);
    EXPECT_EQ(splay_share("a", "web"), splay_share("a", "web"));
    EXPECT_NE(splay_share("a", "web"), splay_share("b", "web"));
    EXPECT_NE(splay_share("a", "web"), splay_share("a", "mail"));
}

}  // namespace
}  // namespace keyturn
