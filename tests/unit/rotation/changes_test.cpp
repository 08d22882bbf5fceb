// What changes during a roll-out: the token, connections, which units run.

#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

using Changes = RotationTest;

TEST_F(Changes, TokenThatIsBackBeforeItIsTakenOverCostsNothing) {
    ASSERT_TRUE(rotate_until("save soak"));
    api_token = Token::foreign;
    ASSERT_TRUE(run_until("keep token"));
    api_token = Token::ours;
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::done);
    EXPECT_FALSE(told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(Changes, TokenThatIsBackAfterACrashIsNotTakenOverAgain) {
    request.kind = RotationKind::takeover;
    api_token = Token::foreign;
    ASSERT_TRUE(rotate_until("save soak"));
    api_token = Token::old;
    ASSERT_TRUE(run_until("keep token"));
    api_token = Token::ours;
    crash_and_restart();
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::taken_over);
    EXPECT_EQ(count("keep token"), 1U);
}

TEST_F(Changes, TokenThatFailsAUnitInTheSoakIsFollowed) {
    ASSERT_TRUE(rotate_until("save soak"));
    api_token = Token::foreign;
    unit(a).fail();
    run();
    ASSERT_TRUE(held() || done());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
    EXPECT_EQ(file_token, api_token);
}

TEST_F(Changes, TokenIsFollowedBeforeAPromotedUnitIsRestarted) {
    add_unit(c);
    ASSERT_TRUE(rotate_until("save soak"));
    unit(c).readiness->connections = 1;
    ASSERT_TRUE(run_until(EventKind::replica_promoted));
    api_token = Token::foreign;
    run();  // RotationWorld aborts on a restart with a token that the API does not hold.
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
}

TEST_F(Changes, TokenThatChangesWhileARestartIsProvenIsFollowedAfterACrashToo) {
    start();
    ASSERT_TRUE(run_past("restart " + a));
    crash_and_restart();
    ASSERT_TRUE(run_until("wait"));
    api_token = Token::foreign;
    unit(a).fail();
    run();
    ASSERT_TRUE(held() || done());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
}

TEST_F(Changes, UnitThatLosesAllConnectionsForGoodIsHeld) {
    ASSERT_TRUE(rotate_until("save soak"));
    unit(a).lose_connections();
    run();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text, HasSubstr("it has had 0 of 4 connections for 30s"));
    EXPECT_EQ(restarts(b), 0);
}

TEST_F(Changes, UnitThatIsStoppedAfterItHadVerifiedIsHeld) {
    ASSERT_TRUE(rotate_until("save soak"));
    unit(a).stop();
    run();
    ASSERT_TRUE(held());
    EXPECT_THAT(hold().text, HasSubstr("it is inactive/dead"));
}

TEST_F(Changes, UnitThatIsBeingRestartedBySomebodyIsWaitedFor) {
    ASSERT_TRUE(rotate_until("save soak"));
    const Unit serves = unit(a);
    unit(a).stop();
    unit(a).state.job_pending = true;
    steps(10);
    EXPECT_FALSE(held());
    unit(a) = serves;
    run();
    EXPECT_TRUE(done());
}

TEST_F(Changes, TwoUnitsThatDecayAreRestartedOneAfterTheOther) {
    add_unit(c);
    add_unit(d);
    policy.rollout.batches = 4;
    ASSERT_TRUE(rotate_until("save soak"));
    for (const std::string& each : {c, d}) unit(each).readiness->connections = 1;
    run();
    ASSERT_TRUE(done());
    EXPECT_GE(fewest_serving, 3);
}

/// The unit was stopped at the start and now runs with a dead token: its restart costs nothing.
TEST_F(Changes, UnitThatWasStartedSinceAndDoesNotServeGoesFirst) {
    add_unit(c);
    add_unit(d);
    unit(d).stop();
    policy.rollout.min_available = 2;
    policy.rollout.soak = 1s;
    ASSERT_TRUE(rotate_until("save soak"));
    ASSERT_TRUE(run_until("save roll"));
    unit(c).fail();
    unit(d).come_up("started", Token::old, 0);
    run();
    ASSERT_TRUE(done());
    EXPECT_THAT(message(EventKind::replica_promoted), HasSubstr(d));
    EXPECT_EQ(restarts(d), 1);
    EXPECT_GE(fewest_serving, 2);
}

/// systemd is starting unit a at the delivery: nobody knows which token the unit has read.
void start_at_the_delivery(RotationWorld& world, bool job_pending) {
    world.before_each([&world, job_pending](const std::string& action) {
        if (action != "deliver" || world.restarts(a) > 0) return;
        world.unit(a).begin_start("started-by-systemd");
        world.unit(a).state.job_pending = job_pending;
    });
}

TEST_F(Changes, UnitThatIsStartingIsRestartedAgainWhereSystemdDidNotTakeTheFirstCall) {
    start_at_the_delivery(*this, false);
    fail_next("restart " + a, no_answer);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Changes, UnitThatWasStartingByItselfWhenTheTokenWasReplacedIsRestarted) {
    start_at_the_delivery(*this, true);
    rotate();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Changes, UnitThatComesUpByItselfAfterARetryIsProvenAsItIs) {
    once_before("deliver", [&] { unit(a).stop(); });
    rotate();
    ASSERT_TRUE(held());
    unit(a).state.active_state = "activating";
    fail_next("restart " + a, {Fault::busy, "systemd cannot ask polkit", {}});
    int samples = 0;
    before_each([&](const std::string& action) {
        const bool tried = count("restart " + a) > 0;
        if (!tried || action != "sample" || ++samples > 3) return;
        unit(a).come_up("came-up", Token::ours, samples == 3 ? full : samples);
    });
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 0) << "the retry applies to the process before";
    EXPECT_EQ(count("restart " + a), 1U);
}

TEST_F(Changes, TunnelOfWhichNothingRunsGetsTheTokenOfSomebodyElse) {
    request.kind = RotationKind::takeover;
    api_token = Token::foreign;
    unit(a).stop();
    unit(b).stop();
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(restarts(), 0);
    EXPECT_EQ(file_token, api_token);
}

TEST_F(Changes, RestartThatWouldReplaceAnOperatorsJobIsHeld) {
    fail_next("restart " + a, {Fault::conflict, "another job is under way", {}});
    rotate();
    ASSERT_EQ(held_for(), HoldReason::operator_took_over);
}

TEST_F(Changes, NothingIsConcludedFromAVerificationThatNobodyWatched) {
    ASSERT_TRUE(rotate_until("restart " + a));
    steps(7);
    now += 10min;
    run();
    EXPECT_TRUE(done());
}

TEST_F(Changes, ClockThatCannotWaitStopsNothing) {
    fail_next("wait", {Fault::storage, "no timer", {}});
    rotate();
    EXPECT_TRUE(done());
}

TEST_F(Changes, ApiThatIsDownAtTheEndIsNotTakenForALongDelay) {
    policy.rollout.healthy_deadline = 30s;
    ASSERT_TRUE(rotate_until("save finish"));
    unit(b).fate = Fate::not_listed;
    fail_next("list connectors", no_answer, 8);
    ASSERT_TRUE(run_until([&] { return faults.empty(); }));
    unit(b).fate = Fate::comes_up;
    run();
    EXPECT_TRUE(done());
}

TEST_F(Changes, ApiThatIsDownAfterThePatchDoesNotCountAsShowingTheOldToken) {
    ASSERT_TRUE(rotate_until("deliver"));
    token_shown = Token::old;
    steps(2);
    fail_next("read token", no_answer, 10);
    ASSERT_TRUE(run_until([&] { return faults.empty(); }));
    token_shown.reset();
    run();
    EXPECT_TRUE(done());
    EXPECT_EQ(count("put back"), 0U);
}

}  // namespace
}  // namespace keyturn
