// Where a pause, the way back and a compromise meet something else.

#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using Fate = RotationWorld::Fate;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";

void step_until(RotationWorld& world, const std::function<bool()>& there) {
    for (int i = 0; i < 1000 && !there(); ++i) world.step();
    ASSERT_TRUE(there());
}

void step_to_roll(RotationWorld& world) {
    step_until(world, [&] { return world.rotation->record().phase == Phase::roll; });
}

auto count_of(const RotationWorld& world, EventKind kind) {
    return std::ranges::count(world.events, kind, &Event::kind);
}

TEST(ChapterEdges, ACompromiseIsToldFromARoutineRotation) {
    RotationWorld world({a, b});
    world.request.kind = RotationKind::compromise;
    world.request.evict_all = true;
    world.start();
    step_to_roll(world);
    ASSERT_TRUE(world.told(EventKind::rotation_started));
    EXPECT_EQ(world.last(EventKind::rotation_started)->result, "compromised");
    ASSERT_TRUE(world.told(EventKind::connector_evicted));
    EXPECT_EQ(world.last(EventKind::connector_evicted)->result, "all");
    world.crash_and_restart();
    world.step();
    EXPECT_EQ(world.last(EventKind::rotation_resumed)->result, "compromised");
}

TEST(ChapterEdges, ARoutineRotationSaysNothingOfThat) {
    RotationWorld world({a, b});
    world.start();
    world.run();
    EXPECT_EQ(world.last(EventKind::rotation_started)->result, "");
}

TEST(ChapterEdges, ARestartThatIsOnlyRecordedWaitsForTheEndOfAPause) {
    RotationWorld world({a, b});
    world.start();
    step_until(world, [&] {
        const UnitProgress* unit = world.rotation->record().find(a);
        return unit != nullptr && unit->step == UnitStep::restarting;
    });
    world.paused = true;
    world.rotation->set_paused(true);
    for (int i = 0; i < 50; ++i) world.step();
    EXPECT_EQ(world.unit(a).restarts, 0);
    EXPECT_EQ(world.rotation->view().state, RotationState::paused);

    world.crash_and_restart();
    for (int i = 0; i < 50; ++i) world.step();
    EXPECT_EQ(world.unit(a).restarts, 0) << "a pause survives a restart of the daemon";

    world.rotation->set_paused(false);
    world.run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
}

TEST(ChapterEdges, GoesNotBackToASecretThatWasRotatedAway) {
    RotationWorld world({a, b});
    world.start();
    step_to_roll(world);
    EXPECT_TRUE(world.rotation->can_revert());
    world.retired = {world.rotation->record().old_fingerprint};
    world.crash_and_restart();
    EXPECT_FALSE(world.rotation->can_revert());
}

TEST(ChapterEdges, AStrangerOnTheWayBackLeavesTheFirstTokenRetired) {
    RotationWorld world({a, b});
    world.start();
    step_to_roll(world);
    const std::string first = world.rotation->record().old_fingerprint;
    world.rotation->ask_to_revert();
    step_until(world, [&] { return world.told(EventKind::rotation_reverting); });
    world.api_token = RotationWorld::Token::foreign;
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::taken_over);
    EXPECT_EQ(world.history.front().old_fingerprint, first);
}

TEST(ChapterEdges, AfterACompromiseItIsToldThatOursIsSentAgain) {
    RotationWorld world({a, b});
    world.request.kind = RotationKind::compromise;
    world.start();
    step_until(world, [&] { return world.told(EventKind::token_delivered); });
    EXPECT_EQ(count_of(world, EventKind::secret_committed), 1);
    world.api_token = RotationWorld::Token::foreign;
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(count_of(world, EventKind::secret_committed), 2);
    EXPECT_EQ(world.api_token, RotationWorld::Token::ours);
}

TEST(ChapterEdges, EveryRestartOnTheWayBackIsInABatch) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = RotationWorld::Fate::done_but_dead;
    world.start();
    step_until(world, [&] { return world.told(EventKind::rotation_reverting); });
    world.unit(a).fate = RotationWorld::Fate::comes_up;
    world.run();
    ASSERT_TRUE(world.done());
    for (const Event& event : world.events) {
        if (event.kind != EventKind::unit_restarting) continue;
        EXPECT_EQ(event.batch, "1/2");
    }
}

TEST(ChapterEdges, OnTheWayBackAUnitThatOurOwnRestartHasLeftDeadIsStarted) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::done_but_dead;
    world.start();
    ASSERT_TRUE(world.run_until("take back"));
    world.unit(a).fate = Fate::comes_up;
    world.run();
    EXPECT_EQ(world.history.front().outcome, Outcome::reverted);
    EXPECT_EQ(world.unit(a).token, Token::old);
    EXPECT_EQ(world.unit(a).restarts, 2);
}

TEST(ChapterEdges, OnTheWayBackADeadUnitThatSomebodyStartsIsLetBe) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::done_but_dead;
    world.before_action = [&](const std::string& action) {
        RotationWorld::Unit& dead = world.unit(a);
        if (action != "save roll" || !world.taken_back || dead.state.running()) return;
        dead.fate = Fate::comes_up;
        dead.state.active_state = "active";
        dead.state.sub_state = "running";
        dead.state.main_pid = 1;
        dead.state.invocation = "started-by-somebody";
        dead.token = Token::old;
        dead.came_up = world.now + 10s;  // It takes its time to connect.
        dead.readiness = Readiness{"started-by-somebody", "", 2, true};
    };
    world.start();
    world.run();
    EXPECT_EQ(world.history.front().outcome, Outcome::reverted);
    EXPECT_EQ(world.unit(a).token, Token::old);
    EXPECT_EQ(world.unit(a).restarts, 1) << "by us; it gets its other connections by itself";
}

TEST(ChapterEdges, WhereNothingRunsNoBatchIsRestartedAfterACompromise) {
    RotationWorld world({a, b});
    for (const std::string& name : {a, b}) world.stop(world.unit(name));
    world.request.kind = RotationKind::compromise;
    world.request.evict_all = true;
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_FALSE(world.told(EventKind::batch_started));
}

/// With the old token, as far as anybody can tell.
void let_start(RotationWorld::Unit& unit) {
    unit.state.active_state = "activating";
    unit.state.sub_state = "start";
    unit.state.invocation = "started-by-somebody";
    unit.state.main_pid = 0;
    unit.readiness.reset();
}

TEST(ChapterEdges, AUnitThatIsJustStartingIsRestartedAfterACompromise) {
    RotationWorld world({a, b});
    let_start(world.unit(a));
    world.request.kind = RotationKind::compromise;
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(a).token, Token::ours);
    EXPECT_FALSE(world.told(EventKind::unit_left_stopped));
}

TEST(ChapterEdges, AUnitThatWasStoppedAndIsJustStartingInTheEndIsRestarted) {
    RotationWorld world({a, b, "cloudflared-web@3.service"});
    world.stop(world.unit(a));
    world.request.kind = RotationKind::compromise;
    world.before_action = [&](const std::string& action) {
        if (action == "deliver") let_start(world.unit(a));
    };
    world.start();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_TRUE(world.told(EventKind::unit_left_stopped));
    EXPECT_EQ(world.unit(a).restarts, 1);
    EXPECT_EQ(world.unit(a).token, Token::ours);
}

TEST(RollOut, WarnsWhereTheStartLimitMayNotBeResetAndGoesOn) {
    RotationWorld world({a, b});
    world.unit(b).not_reset = true;
    world.start();
    world.run();
    EXPECT_TRUE(world.done());
    ASSERT_TRUE(world.told(EventKind::start_limit_kept));
    EXPECT_EQ(world.last(EventKind::start_limit_kept)->target_unit, b);
    EXPECT_EQ(world.last(EventKind::start_limit_kept)->priority, Priority::warning);
}

/// An operator stopped it, started it again and says retry: what was said is done already.
TEST(Retry, DoesNotRestartOnceMoreWhatCameBackAndIsStillGatheringConnections) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    RotationWorld::stop(world.unit(b));
    world.run();
    ASSERT_TRUE(world.held());
    ASSERT_EQ(world.disk_record->hold->unit, b);
    RotationWorld::Unit& back = world.unit(b);
    back.state.active_state = "active";
    back.state.sub_state = "running";
    back.state.main_pid = 4711;
    back.state.invocation = "started-by-hand";
    back.token = Token::ours;
    back.came_up = world.now;
    back.readiness = world.unit(a).readiness;
    back.readiness->connector_id = "connector-by-hand";
    back.readiness->connections = 1;
    world.before_action = [&](const std::string&) {
        if (world.now - back.came_up >= 2s) back.readiness->connections = 4;
    };
    world.retry_and_run();
    EXPECT_TRUE(world.done());
    EXPECT_EQ(back.restarts, 0);
}

}  // namespace
}  // namespace keyturn
