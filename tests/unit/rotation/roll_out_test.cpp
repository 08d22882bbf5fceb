#include "unit/rotation/world_test.hpp"

#include <optional>

namespace keyturn {
namespace {

class RollOut : public RotationTest {
  protected:
    /// A rotation in which unit a fails: it is held and leaves b alone, also after a restart of
    /// keyturnd. Once the fault is fixed and an operator retries, it ends.
    void expect_hold_and_retry(HoldReason reason, const std::string& text) {
        rotate();
        ASSERT_EQ(held_for(), reason);
        EXPECT_THAT(hold().text, HasSubstr(text));
        EXPECT_TRUE(told(EventKind::rotation_held));
        EXPECT_EQ(restarts(b), 0);

        crash_and_restart();
        steps(100);
        EXPECT_TRUE(held()) << "a restart of the daemon does not lift a hold";
        EXPECT_EQ(restarts(b), 0);

        unit(a).fate = Fate::comes_up;
        if (unit(a).state.active_state == "activating") unit(a).fail();
        retry();
        EXPECT_TRUE(done());
        EXPECT_EQ(restarts(b), 1);
        EXPECT_EQ(secrets_made, 1);
    }
};
using Hold = RotationTest;

TEST_F(RollOut, RestartsEachUnitOnceAndNeverTheLastServingOne) {
    add_unit(c);
    rotate();
    ASSERT_TRUE(done());
    for (const auto& [name, unit] : units) EXPECT_EQ(unit.restarts, 1) << name;
    EXPECT_GE(fewest_serving, 1);
    EXPECT_EQ(history.front().units.front().verified_by, "systemd, ready, api");
}

TEST_F(RollOut, VerifiesAUnitBeforeItTouchesTheNext) {
    bool all_back = false;
    before("restart " + b, [&] { all_back = unit(a).readiness->connections == full; });
    rotate();
    EXPECT_TRUE(done());
    EXPECT_TRUE(all_back);
}

TEST_F(RollOut, LetsTheEdgeSettleBeforeTheFirstRestart) {
    policy.rollout.settle = 7s;
    rotate();
    EXPECT_EQ(when("restart " + a) - when("deliver"), 7s);
}

TEST_F(RollOut, TakesTheMinimumHealthyTimeForEachUnit) {
    add_unit(c);
    policy.rollout.min_healthy_time = 10s;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_GE(when("restart " + c) - when("restart " + b), 12s)
        << "connected after 2 s, steady after 10 more";
}

TEST_F(RollOut, BeginsAVerificationAnewAfterTheBusWasDown) {
    unit(a).fate = Fate::one_short;  // It passes at the deadline, so the test sees when that is.
    start();
    ASSERT_TRUE(run_past("restart " + a));
    ASSERT_TRUE(run_for(1min));
    fail_next("sample", no_answer);
    ASSERT_TRUE(run_until([&] { return faults.empty(); }));
    const BootTime back = now;
    ASSERT_TRUE(run_until(EventKind::unit_verified));
    EXPECT_GE(now - back, 2min);
}

/// Its process was replaced before the token file was, so it has read the old token.
TEST_F(RollOut, RestartsAUnitWhoseHostGetsTheTokenLate) {
    unit(b).behind = true;
    start();
    ASSERT_TRUE(run_past("restart " + a));
    unit(b).replace_process("in between");
    ASSERT_TRUE(run_until(EventKind::rotation_waiting));
    EXPECT_THAT(message(EventKind::rotation_waiting), HasSubstr("does not have the token yet"));
    ASSERT_TRUE(run_for(1min));
    EXPECT_EQ(restarts(b), 0);
    unit(b).behind = false;
    run();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(RollOut, IsHeldIfAHostDoesNotGetTheToken) {
    unit(b).behind = true;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::host_silent);
    EXPECT_EQ(hold().unit, b);
    EXPECT_THAT(hold().text, HasSubstr("does not have the token yet; `keyturnctl fleet status"));
    unit(b).behind = false;
    retry();
    EXPECT_TRUE(done());
}

TEST_F(RollOut, DoesNotRestartWhatHasAJobAlready) {
    fail_next("restart " + a, no_answer);
    // The job of the lost call is still in the queue. systemd carries it out a minute later.
    std::optional<BootTime> queued;
    before_each([&](const std::string& action) {
        bool& pending = unit(a).state.job_pending;
        if (action == "wait" && count("restart " + a) == 1 && !queued) {
            queued = now;
            pending = true;
        }
        if (!pending || now - *queued < 1min) return;
        pending = false;
        unit(a).replace_process("by-the-queued-job");
    });
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(count("restart " + a), 1U);
}

TEST_F(RollOut, ProvesAUnitAsItIsThatSomebodyRestartedAfterTheDelivery) {
    start();
    ASSERT_TRUE(run_until(EventKind::batch_started));
    ASSERT_TRUE(run_until("sample"));
    unit(a).come_up("started-by-somebody", file_token);
    run();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 0);
    EXPECT_EQ(restarts(b), 1);
    const UnitProgress& first = history.back().units.front();
    EXPECT_EQ(first.name, a);
    EXPECT_EQ(first.connector_after, "started-by-somebody");
    EXPECT_EQ(first.invocation_after, "started-by-somebody");
    EXPECT_EQ(first.verified_by, "systemd, ready, api");
}

TEST_F(RollOut, HoldsForAJobThatIsDoneWithADeadUnit) {
    unit(a).fate = Fate::done_but_dead;
    expect_hold_and_retry(HoldReason::verification_failed, "inactive/dead");
}

TEST_F(RollOut, HoldsForAUnitThatFails) {
    unit(a).fate = Fate::fails;
    expect_hold_and_retry(HoldReason::verification_failed, "failed/failed");
}

TEST_F(RollOut, HoldsForAUnitThatIsRefusedForEver) {
    unit(a).fate = Fate::never_ready;
    expect_hold_and_retry(HoldReason::verification_failed, "activating/auto-restart");
}

TEST_F(RollOut, HoldsWhenAnOperatorsJobTakesOver) {
    unit(a).fate = Fate::canceled;
    expect_hold_and_retry(HoldReason::operator_took_over, "replaced keyturnd's restart");
}

TEST_F(RollOut, HoldsWhenPolkitSaysNo) {
    fail_next("restart " + a, no_right);
    expect_hold_and_retry(HoldReason::not_allowed, no_right.text);
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(RollOut, WaitsForAPolkitThatIsGone) {
    ASSERT_TRUE(rotate_until("restart " + a));
    polkit_gone = true;
    run(200);
    EXPECT_EQ(restarts(a), 0);
    EXPECT_EQ(rotation->view().state, RotationState::waiting);
    EXPECT_THAT(rotation->view().reason, HasSubstr("polkit"));
    polkit_gone = false;
    run();
    EXPECT_TRUE(done());
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_EQ(restarts(a), 1);
    for (const EventKind kind : {EventKind::rotation_waiting, EventKind::rotation_continued})
        EXPECT_EQ(count(kind), 1U);
    EXPECT_EQ(count(EventKind::unit_restarting), 2U) << "one for each unit";
}

TEST_F(RollOut, WaitsForTheBusAndThenRestartsOnce) {
    fail_next("restart " + a, no_answer);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(RollOut, DoesNotRestartTwiceWhenOnlyTheReplyWasLost) {
    faults.push_back({"restart " + a, no_answer, true});
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(RollOut, PassesOneConnectionLessAtTheDeadlineWithAWarning) {
    unit(a).fate = Fate::one_short;
    const BootTime begun = now;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_GE(now - begun, 2min);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(RollOut, HoldsWhenTheApiNeverListsTheConnector) {
    unit(a).fate = Fate::not_listed;
    expect_hold_and_retry(HoldReason::verification_failed,
                          "Cloudflare does not list its connector");
}

TEST_F(RollOut, GoesByTheUnitAloneWhenTheApiIsSilentForTheWholeDeadline) {
    // The deadline may be anywhere between two questions to the API.
    for (const Milliseconds deadline : {30s + 0ms, 30s + 700ms, 31s + 0ms, 31s + 300ms}) {
        RotationWorld world;
        world.policy.rollout.healthy_deadline = deadline;
        world.before("list connectors", [&] {
            const bool verifying = world.restarts(a) == 1 && world.restarts(b) == 0;
            if (verifying) world.fail_next("list connectors", no_answer);
        });
        world.rotate();
        ASSERT_TRUE(world.done()) << deadline.count() << " ms";
        EXPECT_EQ(world.history.front().units.front().verified_by, "systemd, ready");
    }
}

TEST_F(RollOut, HoldsWhenAnOperatorStoppedTheNextUnit) {
    add_unit(c);
    ASSERT_TRUE(rotate_until("restart " + a));
    unit(b).stop();
    run();
    ASSERT_EQ(held_for(), HoldReason::operator_took_over);
    EXPECT_EQ(restarts(b), 0);
    retry();
    EXPECT_TRUE(done()) << "retry leaves it stopped";
    EXPECT_EQ(restarts(b), 0);
    EXPECT_EQ(restarts(c), 1);
}

TEST_F(RollOut, RestartsWhatDoesNotServeFirstWhenTooFewOthersDo) {
    add_unit(c);
    policy.rollout.min_available = 2;
    ASSERT_TRUE(rotate_until("save roll"));
    unit(c).readiness->connections = 0;
    run();
    EXPECT_TRUE(done());
    EXPECT_THAT(restarted(), ElementsAre(c, a, b));
}

TEST_F(RollOut, RestartsAUnitThatWasLeftStoppedAndIsStartedMeanwhile) {
    add_unit(c);
    unit(c).stop();
    ASSERT_TRUE(rotate_until("patch"));
    unit(c).come_up("started with the old token, right before it is replaced", Token::old);
    run();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(c), 1);
    EXPECT_EQ(unit(c).token, Token::ours);
}

TEST_F(RollOut, DoesNotRestartOnWhatWasSeenTooLongAgo) {
    ASSERT_TRUE(rotate_until("restart " + a));
    now += 10min;
    unit(b).readiness->connections = 0;
    run();  // RotationWorld aborts when a is restarted although b does not serve.
    EXPECT_TRUE(done());
    EXPECT_EQ(count("restart " + b), 1U) << "it did not serve, so it was first";
}

TEST_F(RollOut, WaitsUntilEnoughOthersServe) {
    ASSERT_TRUE(rotate_until("save roll"));
    unit(b).fail();
    run();
    ASSERT_EQ(held_for(), HoldReason::too_few_replicas);
    EXPECT_EQ(restarts(a), 0);
}

TEST_F(RollOut, WarnsWhereTheStartLimitMayNotBeResetAndGoesOn) {
    unit(b).not_reset = true;
    rotate();
    EXPECT_TRUE(done());
    ASSERT_TRUE(told(EventKind::start_limit_kept));
    EXPECT_EQ(last(EventKind::start_limit_kept)->target_unit, b);
    EXPECT_EQ(last(EventKind::start_limit_kept)->priority, Priority::warning);
}

TEST_F(Hold, RaisesTheAlarmAgainWhenItBecomesUrgent) {
    unit(a).fate = Fate::fails;
    rotate();
    ASSERT_TRUE(held());
    steps(10);
    EXPECT_FALSE(told(EventKind::hold_urgent)) << "b serves";
    unit(b).readiness->serving = false;
    steps(10);
    EXPECT_TRUE(told(EventKind::hold_urgent));
}

}  // namespace
}  // namespace keyturn
