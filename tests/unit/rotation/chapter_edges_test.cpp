// A pause, a revert or a compromise together with something else.

#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

class ChapterEdges : public RotationTest {
  protected:
    void come_to_the_roll_out() {
        start();
        ASSERT_TRUE(run_until([&] { return rotation->record().phase == Phase::roll; }));
    }
};

using Retry = RotationTest;

TEST_F(ChapterEdges, ACompromiseIsToldFromARoutineRotation) {
    request.kind = RotationKind::compromise;
    request.evict_all = true;
    come_to_the_roll_out();
    ASSERT_TRUE(told(EventKind::rotation_started));
    EXPECT_EQ(last(EventKind::rotation_started)->result, "compromised");
    ASSERT_TRUE(told(EventKind::connector_evicted));
    EXPECT_EQ(last(EventKind::connector_evicted)->result, "all");
    crash_and_restart();
    step();
    EXPECT_EQ(last(EventKind::rotation_resumed)->result, "compromised");
}

TEST_F(ChapterEdges, ARoutineRotationSaysNothingOfThat) {
    rotate();
    EXPECT_EQ(last(EventKind::rotation_started)->result, "");
}

TEST_F(ChapterEdges, ARestartThatIsOnlyRecordedWaitsForTheEndOfAPause) {
    start();
    ASSERT_TRUE(run_until([&] {
        const UnitProgress* unit = rotation->record().find(a);
        return unit != nullptr && unit->step == UnitStep::restarting;
    }));
    pause();
    steps(50);
    EXPECT_EQ(restarts(a), 0);
    EXPECT_EQ(rotation->view().state, RotationState::paused);

    crash_and_restart();
    steps(50);
    EXPECT_EQ(restarts(a), 0) << "a pause survives a restart of the daemon";

    resume();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(ChapterEdges, GoesNotBackToASecretThatWasRotatedAway) {
    come_to_the_roll_out();
    EXPECT_TRUE(rotation->can_revert());
    retired = {rotation->record().old_fingerprint};
    crash_and_restart();
    EXPECT_FALSE(rotation->can_revert());
}

TEST_F(ChapterEdges, AStrangerOnTheWayBackLeavesTheFirstTokenRetired) {
    come_to_the_roll_out();
    const std::string first = rotation->record().old_fingerprint;
    rotation->ask_to_revert();
    ASSERT_TRUE(run_until(EventKind::rotation_reverting));
    api_token = Token::foreign;
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::taken_over);
    EXPECT_EQ(history.front().old_fingerprint, first);
}

TEST_F(ChapterEdges, AfterACompromiseItIsToldThatOursIsSentAgain) {
    request.kind = RotationKind::compromise;
    start();
    ASSERT_TRUE(run_until(EventKind::token_delivered));
    EXPECT_EQ(count(EventKind::secret_committed), 1U);
    api_token = Token::foreign;
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(count(EventKind::secret_committed), 2U);
    EXPECT_EQ(api_token, Token::ours);
}

TEST_F(ChapterEdges, EveryRestartOnTheWayBackIsInABatch) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::done_but_dead;
    start();
    ASSERT_TRUE(run_until(EventKind::rotation_reverting));
    unit(a).fate = Fate::comes_up;
    run();
    ASSERT_TRUE(done());
    for (const Event& event : events) {
        if (event.kind != EventKind::unit_restarting) continue;
        EXPECT_EQ(event.batch, "1/2");
    }
}

TEST_F(ChapterEdges, OnTheWayBackAUnitThatOurOwnRestartHasLeftDeadIsStarted) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::done_but_dead;
    ASSERT_TRUE(rotate_until("take back"));
    unit(a).fate = Fate::comes_up;
    run();
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(unit(a).token, Token::old);
    EXPECT_EQ(restarts(a), 2);
}

TEST_F(ChapterEdges, OnTheWayBackADeadUnitThatSomebodyStartsIsLetBe) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::done_but_dead;
    before_each([&](const std::string& action) {
        Unit& dead = unit(a);
        if (action != "save roll" || !taken_back || dead.state.running()) return;
        dead.fate = Fate::comes_up;
        dead.come_up("started-by-somebody", Token::old, 2);
        dead.came_up = now + 10s;  // It connects slowly.
    });
    rotate();
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(unit(a).token, Token::old);
    EXPECT_EQ(restarts(a), 1) << "by us; it gets its other connections without a restart";
}

TEST_F(ChapterEdges, WhereNothingRunsNoBatchIsRestartedAfterACompromise) {
    for (const std::string& name : {a, b}) unit(name).stop();
    request.kind = RotationKind::compromise;
    request.evict_all = true;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_FALSE(told(EventKind::batch_started));
}

TEST_F(ChapterEdges, AUnitThatIsJustStartingIsRestartedAfterACompromise) {
    unit(a).begin_start("with the old token, as far as anybody can tell");
    request.kind = RotationKind::compromise;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(unit(a).token, Token::ours);
    EXPECT_FALSE(told(EventKind::unit_left_stopped));
}

TEST_F(ChapterEdges, AUnitThatWasStoppedAndIsJustStartingInTheEndIsRestarted) {
    add_unit(c);
    unit(a).stop();
    request.kind = RotationKind::compromise;
    before("deliver", [&] { unit(a).begin_start("started by somebody"); });
    rotate();
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::unit_left_stopped));
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(unit(a).token, Token::ours);
}

/// An operator stopped the unit, started it again and retries: no further restart is needed.
TEST_F(Retry, DoesNotRestartOnceMoreWhatCameBackAndIsStillGatheringConnections) {
    ASSERT_TRUE(rotate_until("save soak"));
    unit(b).stop();
    run();
    ASSERT_TRUE(held());
    ASSERT_EQ(hold().unit, b);
    unit(b).come_up("started-by-hand", Token::ours, 1);
    before_each([&, started = now](const std::string&) {
        if (now - started >= 2s) unit(b).readiness->connections = full;
    });
    retry();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(b), 0);
}

}  // namespace
}  // namespace keyturn
