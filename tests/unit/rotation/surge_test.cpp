#include "fakes/crash_loop.hpp"
#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

/// One unit, and the extra one that helps out.
struct SurgeWorld : RotationWorld {
    SurgeWorld() : RotationWorld({a}) { add_surge(); }

    /// keyturnd is killed right before it stops the extra one.
    void die_before_the_stop() {
        start();
        ASSERT_TRUE(run_until("stop " + extra));
        crash_and_restart();
    }
    [[nodiscard]] bool extra_stopped() { return unit(extra).state.active_state == "inactive"; }

    void expect_done_and_stopped() {
        EXPECT_TRUE(done());
        EXPECT_TRUE(extra_stopped());
        EXPECT_GE(fewest_serving, 1);
        EXPECT_EQ(secrets_made, 1);
    }
};

using Surge = WorldTest<SurgeWorld>;

TEST_F(Surge, StartsFirstAndIsStoppedLast) {
    rotate();
    expect_done_and_stopped();
    EXPECT_THAT(deeds(), ElementsAre("patch", "deliver", "restart " + extra, "restart " + a,
                                     "stop " + extra));
    EXPECT_EQ(unit(a).token, Token::ours);
}

TEST_F(Surge, IsToldAndIsNoneOfTheUnits) {
    rotate();
    EXPECT_THAT(message(EventKind::rotation_started), HasSubstr("1 unit in 1 batch"));
    EXPECT_EQ(last(EventKind::surge_started)->target_unit, extra);
    EXPECT_EQ(last(EventKind::surge_stopped)->target_unit, extra);
    EXPECT_EQ(last(EventKind::unit_restarting)->target_unit, a);
    EXPECT_FALSE(told(EventKind::unit_left_stopped)) << "it is stopped as a rule";
    EXPECT_THAT(history.front().text, HasSubstr("1 unit serves"));
}

TEST_F(Surge, HasToHaveAsManyConnectionsAsTheBestUnit) {
    unit(extra).connections_full = 2;
    rotate();
    ASSERT_TRUE(held());
    EXPECT_EQ(hold().unit, extra);
    EXPECT_THAT(hold().text, HasSubstr("2 of 3 connections"));
    EXPECT_EQ(restarts(a), 0);
}

TEST_F(Surge, SettlesBeforeAUnitReliesOnIt) {
    policy.rollout.settle = 40s;
    start();
    ASSERT_TRUE(run_past("restart " + extra));
    ASSERT_TRUE(run_until([&] { return disk_record->find(extra)->step == UnitStep::verified; }));
    const BootTime verified = now;
    run();
    expect_done_and_stopped();
    EXPECT_GE(when("restart " + a) - verified, 40s);
}

TEST_F(Surge, IsNotNeededWhereEnoughServe) {
    add_unit(b);
    add_unit(c);
    rotate();
    expect_done_and_stopped();
    EXPECT_EQ(count("restart " + extra), 0U);
    EXPECT_EQ(count("stop " + extra), 0U);
    EXPECT_FALSE(told(EventKind::surge_started));
}

TEST_F(Surge, IsNotNeededWhereAGapIsAccepted) {
    request.accept_gap = true;
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(count("restart " + extra), 0U);
}

TEST_F(Surge, IsRefusedWhereItRunsAlready) {
    unit(extra).state.active_state = "active";
    unit(extra).state.sub_state = "running";
    unit(extra).state.main_pid = 4711;
    rotate();
    ASSERT_TRUE(refused());
    EXPECT_THAT(history.front().text, HasSubstr("systemctl stop " + extra));
}

TEST_F(Surge, IsRefusedWhereItWouldNotTakeItsTokenFromOurFile) {
    unit(extra).problem = "it takes its token from its command line";
    rotate();
    ASSERT_TRUE(refused());
    EXPECT_THAT(history.front().text, HasSubstr(extra + ": it takes its token"));
}

TEST_F(Surge, IsRefusedWhereEvenOneMoreIsTooFew) {
    policy.rollout.min_available = 2;
    rotate();
    ASSERT_TRUE(refused());
    EXPECT_THAT(history.front().text, HasSubstr("add a unit, or accept a gap"));
}

TEST_F(Surge, IsRefusedWhereItIsAllThereIs) {
    RotationWorld alone(std::vector<std::string>{});
    alone.add_surge();
    alone.rotate();
    ASSERT_TRUE(alone.refused());
    EXPECT_THAT(alone.history.front().text, HasSubstr("no unit matches"));
}

TEST_F(Surge, ThatFailsToStartIsHeldWithTheUnitsUntouched) {
    unit(extra).fate = Fate::fails;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::verification_failed);
    EXPECT_EQ(hold().unit, extra);
    EXPECT_EQ(restarts(a), 0);
    unit(extra).fate = Fate::comes_up;
    retry();
    expect_done_and_stopped();
}

TEST_F(Surge, ThatFailsToStartIsGoneBackFromWhereThePolicySaysSo) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(extra).fate = Fate::fails;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(restarts(a), 0);
    EXPECT_EQ(api_token, Token::old);
    EXPECT_TRUE(extra_stopped()) << "one that failed is stopped, too";
}

TEST_F(Surge, ThatMayNotBeStartedIsHeld) {
    fail_next("restart " + extra, no_right);
    rotate();
    ASSERT_EQ(held_for(), HoldReason::not_allowed);
    EXPECT_EQ(hold().unit, extra);
    EXPECT_EQ(disk_record->find(extra)->step, UnitStep::listed);
    retry();
    expect_done_and_stopped();
}

TEST_F(Surge, ThatSomebodyElseStopsMeanwhileIsHeld) {
    unit(extra).fate = Fate::canceled;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::operator_took_over);
    unit(extra).fate = Fate::comes_up;
    retry();
    expect_done_and_stopped();
}

/// An operator has stopped a unit since the preflight: the extra one takes its place.
TEST_F(Surge, HelpsOutInTheMiddleOfARollOut) {
    add_unit(b);
    add_unit(c);
    policy.rollout.min_available = 2;
    ASSERT_TRUE(rotate_until("save soak"));
    unit(c).stop();
    run();
    ASSERT_TRUE(held());
    EXPECT_EQ(hold().unit, c);
    log.clear();
    retry();
    expect_done_and_stopped();
    EXPECT_THAT(deeds(),
                ElementsAre("deliver", "restart " + extra, "restart " + b, "stop " + extra));
    EXPECT_GE(fewest_serving, 2);
}

TEST_F(Surge, IsStoppedAfterARevertToo) {
    start();
    ASSERT_TRUE(run_past("restart " + extra));
    rotation->ask_to_revert();
    run();
    expect_done_and_stopped();
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(restarts(a), 0);
}

TEST_F(Surge, IsRestartedAndStoppedWhereTheTokenChangesMeanwhile) {
    ASSERT_TRUE(rotate_until("restart " + a));
    once_before("list connectors", [&] { api_token = Token::foreign; });
    run();
    expect_done_and_stopped();
    EXPECT_TRUE(told(EventKind::foreign_rotation));
}

/// The extra unit continues to serve until enough other units do.
TEST_F(Surge, IsStoppedOnlyWhileEnoughOthersServe) {
    policy.rollout.progress_deadline = 5min;
    die_before_the_stop();
    unit(a).lose_connections();
    run();
    ASSERT_EQ(held_for(), HoldReason::verification_failed);
    EXPECT_EQ(hold().unit, a) << "the missing unit, not the one that cannot be stopped";
    EXPECT_FALSE(extra_stopped());
    unit(a).token = Token::ours;
    retry();
    expect_done_and_stopped();
}

TEST_F(Surge, IsNotStoppedWhileItIsUnknownWhetherEnoughOthersServe) {
    policy.rollout.progress_deadline = 5min;
    die_before_the_stop();
    unit(a).silent = "it does not answer within 1.5 s";
    ASSERT_TRUE(run_for(30min));
    EXPECT_EQ(count("stop " + extra), 0U);
    unit(a).silent.clear();
    run();
    EXPECT_FALSE(told(EventKind::rotation_held));
    expect_done_and_stopped();
}

/// After a compromise systemd alone proves a unit that does not name its connector.
TEST_F(Surge, ThatIsSilentIsNoOtherThanItself) {
    request.kind = RotationKind::compromise;
    policy.rollout.progress_deadline = 5min;
    unit(extra).silent = "it has a network namespace of its own";
    die_before_the_stop();
    unit(a).lose_connections();
    run();
    ASSERT_TRUE(held());
    EXPECT_EQ(count("stop " + extra), 0U);
}

TEST_F(Surge, ThatCannotBeStoppedIsHeld) {
    fail_next("stop " + extra, no_right);
    rotate();
    ASSERT_EQ(held_for(), HoldReason::surge_not_stopped);
    EXPECT_EQ(hold().unit, extra);
    retry();
    expect_done_and_stopped();
}

TEST_F(Surge, IsStoppedOnceTheBusIsBack) {
    fail_next("stop " + extra, no_answer);
    rotate();
    expect_done_and_stopped();
    EXPECT_TRUE(told(EventKind::rotation_waiting));
    EXPECT_EQ(count("stop " + extra), 2U);
}

TEST_F(Surge, IsNotStoppedDuringAPause) {
    start();
    ASSERT_TRUE(run_past("restart " + a));
    pause();
    steps(2'000);
    EXPECT_EQ(rotation->view().state, RotationState::paused);
    EXPECT_FALSE(extra_stopped());
    resume();
    expect_done_and_stopped();
}

TEST_F(Surge, HelpsOutAndIsStoppedWhereverACrashComes) {
    after_every_action(started<SurgeWorld>(), [](SurgeWorld& world) {
        world.crash_and_restart();
        world.run();
        world.expect_done_and_stopped();
        EXPECT_EQ(world.patches, 1);
        EXPECT_EQ(world.restarts(a), 1);
        EXPECT_EQ(world.restarts(extra), 1);
    });
}

}  // namespace
}  // namespace keyturn
