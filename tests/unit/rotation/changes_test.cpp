// What changes underneath a roll-out that is under way: the token, connections, who runs.

#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <utility>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Fate = RotationWorld::Fate;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";
const std::string d = "cloudflared-web@4.service";

void stop(RotationWorld::Unit& unit) {
    unit.state.active_state = "inactive";
    unit.state.sub_state = "dead";
    unit.state.main_pid = 0;
    unit.readiness.reset();
}

void fail(RotationWorld::Unit& unit) {
    stop(unit);
    unit.state.active_state = unit.state.sub_state = "failed";
}

TEST(Changes, TokenThatIsBackBeforeItIsTakenOverCostsNothing) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.api_token = Token::foreign;
    ASSERT_TRUE(world.run_until("adopt"));
    world.api_token = Token::ours;
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::done);
    EXPECT_FALSE(world.told(EventKind::foreign_rotation));
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(Changes, TokenThatIsBackAfterACrashIsNotTakenOverAgain) {
    RotationWorld world({a, b});
    world.request.kind = RotationKind::takeover;
    world.api_token = Token::foreign;
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.api_token = Token::old;
    ASSERT_TRUE(world.run_until("adopt"));
    world.api_token = Token::ours;
    world.crash_and_restart();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::taken_over);
    EXPECT_EQ(world.count("adopt"), 1U);
}

TEST(Changes, TokenThatFailsAUnitInTheSoakIsFollowed) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.api_token = Token::foreign;
    fail(world.unit(a));
    world.run();
    ASSERT_TRUE(world.held() || world.done());
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
    EXPECT_EQ(world.file_token, world.api_token);
}

TEST(Changes, TokenIsFollowedBeforeAPromotedUnitIsRestarted) {
    RotationWorld world({a, b, c});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.unit(c).readiness->connections = 1;
    while (!world.told(EventKind::replica_promoted)) world.step();
    world.api_token = Token::foreign;
    world.run();  // RotationWorld aborts on a restart with a token that the API does not hold.
    ASSERT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
}

TEST(Changes, TokenThatChangesWhileARestartIsProvenIsFollowedAfterACrashToo) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.step();
    world.crash_and_restart();
    ASSERT_TRUE(world.run_until("wait"));
    world.api_token = Token::foreign;
    fail(world.unit(a));
    world.run();
    ASSERT_TRUE(world.held() || world.done());
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
}

TEST(Changes, UnitThatLosesAllConnectionsForGoodIsHeld) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.unit(a).token = Token::foreign;  // It does not recover by itself.
    world.unit(a).readiness->connections = 0;
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("it has had 0 of 4 connections for 30s"));
    EXPECT_EQ(world.unit(b).restarts, 0);
}

TEST(Changes, UnitThatIsStoppedAfterItHadVerifiedIsHeld) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    stop(world.unit(a));
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("it is inactive/dead"));
}

TEST(Changes, UnitThatIsBeingRestartedBySomebodyIsWaitedFor) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    RotationWorld::Unit& unit = world.unit(a);
    const RotationWorld::Unit before = unit;
    stop(unit);
    unit.state.job_pending = true;
    for (int i = 0; i < 10; ++i) world.step();
    EXPECT_FALSE(world.held());
    unit = before;
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Changes, TwoUnitsThatDecayAreRestartedOneAfterTheOther) {
    RotationWorld world({a, b, c, d});
    world.policy.rollout.batches = 4;
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    for (const std::string& each : {c, d}) world.unit(each).readiness->connections = 1;
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_GE(world.fewest_serving, 3);
}

/// It was left stopped, and runs by now with a token that is dead: it costs nothing to restart.
TEST(Changes, UnitThatWasStartedSinceAndDoesNotServeGoesFirst) {
    RotationWorld world({a, b, c, d});
    stop(world.unit(d));
    world.policy.rollout.min_available = 2;
    world.policy.rollout.soak = 1s;
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    ASSERT_TRUE(world.run_until("save roll"));
    fail(world.unit(c));
    RotationWorld::Unit& started = world.unit(d);
    started.state.active_state = "active";
    started.state.sub_state = "running";
    started.state.main_pid = 4711;
    started.readiness = Readiness{"started", RotationWorld::tunnel_id, 0, false};
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_THAT(world.last(EventKind::replica_promoted)->message, HasSubstr(d));
    EXPECT_EQ(world.unit(d).restarts, 1);
    EXPECT_GE(world.fewest_serving, 2);
}

/// Unit a is being started with a token that nobody knows, as systemd does by itself.
void start_at_the_delivery(RotationWorld& world, bool job_pending) {
    world.before_action = [&world, job_pending](const std::string& action) {
        if (action != "deliver" || world.unit(a).restarts > 0) return;
        UnitState& state = world.unit(a).state;
        state.active_state = "activating";
        state.sub_state = "start";
        state.invocation = "started-by-systemd";
        state.job_pending = job_pending;
        world.unit(a).readiness.reset();
    };
}

TEST(Changes, UnitThatIsStartingIsRestartedAgainWhereSystemdDidNotTakeTheFirstCall) {
    RotationWorld world({a, b});
    start_at_the_delivery(world, false);
    world.faults.push_back({"restart " + a, {Fault::unreachable, "no answer", {}}});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Changes, UnitThatWasStartingByItselfWhenTheTokenWasReplacedIsRestarted) {
    RotationWorld world({a, b});
    start_at_the_delivery(world, true);
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Changes, UnitThatComesUpByItselfAfterARetryIsProvenAsItIs) {
    RotationWorld world({a, b});
    world.before_action = [&](const std::string& action) {
        if (action == "deliver") stop(world.unit(a));
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    RotationWorld::Unit& unit = world.unit(a);
    unit.state.active_state = "activating";
    world.faults.push_back({"restart " + a, {Fault::busy, "systemd cannot ask polkit", {}}});
    int samples = 0;
    world.before_action = [&](const std::string& action) {
        const bool tried = world.count("restart " + a) > 0;
        if (!tried || action != "sample" || ++samples > 3) return;
        unit.state.active_state = "active";
        unit.state.sub_state = "running";
        unit.state.invocation = "came-up";
        unit.state.main_pid = 4711;
        unit.token = Token::ours;
        unit.readiness = Readiness{"came-up", RotationWorld::tunnel_id, samples, true};
        if (samples == 3) unit.readiness->connections = 4;
    };
    world.retry_and_run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(unit.restarts, 0) << "the retry was about the process before";
    EXPECT_EQ(world.count("restart " + a), 1U);
}

TEST(Changes, TunnelOfWhichNothingRunsGetsTheTokenOfSomebodyElse) {
    RotationWorld world({a, b});
    world.request.kind = RotationKind::takeover;
    world.api_token = Token::foreign;
    stop(world.unit(a));
    stop(world.unit(b));
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts + world.unit(b).restarts, 0);
    EXPECT_EQ(world.file_token, world.api_token);
}

TEST(Changes, RestartThatWouldReplaceAnOperatorsJobIsHeld) {
    RotationWorld world({a, b});
    world.faults.push_back({"restart " + a, {Fault::conflict, "another job is under way", {}}});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::operator_took_over);
}

TEST(Changes, NothingIsConcludedFromAVerificationThatNobodyWatched) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("restart " + a));
    world.step();
    for (int i = 0; i < 6; ++i) world.step();
    world.now += 10min;
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Changes, ClockThatCannotWaitStopsNothing) {
    RotationWorld world({a, b});
    world.faults.push_back({"wait", {Fault::storage, "no timer", {}}});
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Changes, ApiThatIsDownAtTheEndIsNotTakenForALongDelay) {
    RotationWorld world({a, b});
    world.policy.rollout.healthy_deadline = 30s;
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.unit(b).fate = Fate::not_listed;
    for (int i = 0; i < 8; ++i)
        world.faults.push_back({"list connectors", {Fault::unreachable, "no answer", {}}});
    while (!world.faults.empty()) world.step();
    world.unit(b).fate = Fate::comes_up;
    world.run();
    EXPECT_TRUE(world.done());
}

TEST(Changes, ApiThatIsDownAfterThePatchDoesNotCountAsShowingTheOldToken) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("deliver"));
    world.token_shown = Token::old;
    world.step();
    world.step();
    for (int i = 0; i < 10; ++i)
        world.faults.push_back({"read token", {Fault::unreachable, "no answer", {}}});
    while (!world.faults.empty()) world.step();
    world.token_shown.reset();
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.count("put back"), 0U);
}

}  // namespace
}  // namespace keyturn
