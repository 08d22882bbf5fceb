#include "fakes/crash_loop.hpp"
#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

class Paused : public RotationTest {
  protected:
    [[nodiscard]] bool stands_still() const {
        return rotation->view().state == RotationState::paused;
    }

    /// Runs until the pause stops the rotation, and three hours more.
    void come_to_a_standstill() {
        ASSERT_TRUE(run_until([&] { return stands_still(); }));
        ASSERT_TRUE(run_for(3h));
        ASSERT_TRUE(stands_still());
    }

    void pause_in_the_first_soak() {
        ASSERT_TRUE(rotate_until("save soak"));
        pause();
        come_to_a_standstill();
    }
};

TEST_F(Paused, StopsBeforeTheSecretIsSent) {
    paused = true;
    start();
    come_to_a_standstill();
    EXPECT_TRUE(pending_kept);
    EXPECT_THAT(deeds(), ElementsAre());
    EXPECT_EQ(disk_record->phase, Phase::prepare);
    EXPECT_EQ(rotation->view().reason, "an operator has paused it");
    ASSERT_TRUE(told(EventKind::rotation_paused));
    EXPECT_EQ(last(EventKind::rotation_paused)->result, "paused");
    EXPECT_THAT(message(EventKind::rotation_paused),
                AllOf(HasSubstr("`keyturnctl resume web`"), Not(HasSubstr("meanwhile"))));
    resume();
    EXPECT_TRUE(done());
    EXPECT_TRUE(told(EventKind::rotation_continued));
    EXPECT_EQ(patches, 1);
}

TEST_F(Paused, StopsBeforeTheNextRestartAndSaysThatUnitsDecay) {
    pause_in_the_first_soak();
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(b), 0);
    EXPECT_THAT(message(EventKind::rotation_paused),
                HasSubstr("cannot get a lost connection back meanwhile"));
    EXPECT_EQ(count(EventKind::rotation_paused), 1U);
    EXPECT_FALSE(told(EventKind::hold_urgent));
    resume();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(b), 1);
    EXPECT_EQ(outcome(), Outcome::done);
}

TEST_F(Paused, ProvesARestartThatIsUnderWay) {
    ASSERT_TRUE(rotate_until("restart " + a));
    pause();
    come_to_a_standstill();
    EXPECT_EQ(rotation->record().find(a)->step, UnitStep::verified);
    EXPECT_EQ(rotation->record().find(b)->step, UnitStep::waiting);
    resume();
    EXPECT_TRUE(done());
}

TEST_F(Paused, StopsARestartThatIsRecordedAndNotMade) {
    ASSERT_TRUE(rotate_until("restart " + a));
    paused = true;
    crash_and_restart();
    come_to_a_standstill();
    EXPECT_EQ(rotation->record().find(a)->step, UnitStep::restarting);
    EXPECT_EQ(restarts(a), 0);
    resume();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 1);
}

TEST_F(Paused, StopsARestartThatWaitsForTheTokenFile) {
    ASSERT_TRUE(rotate_until("restart " + a));
    crash_and_restart();
    ASSERT_TRUE(run_until("check files"));
    file_emptied = true;
    ASSERT_TRUE(run_until("deliver"));
    pause();
    come_to_a_standstill();
    EXPECT_EQ(restarts(a), 0);
    resume();
    EXPECT_TRUE(done());
}

TEST_F(Paused, IsStillPausedAfterACrash) {
    pause_in_the_first_soak();
    crash_and_restart();
    come_to_a_standstill();
    EXPECT_EQ(restarts(b), 0);
    resume();
    EXPECT_TRUE(done());
}

TEST_F(Paused, RaisesTheAlarmWhenTooFewServe) {
    pause_in_the_first_soak();
    for (const std::string& each : {a, b}) unit(each).lose_connections();
    steps(50);
    const Event* urgent = last(EventKind::hold_urgent);
    ASSERT_NE(urgent, nullptr);
    EXPECT_EQ(urgent->priority, Priority::alert);
    EXPECT_EQ(urgent->result, "paused");
    EXPECT_THAT(urgent->message,
                HasSubstr("is paused with 0 units serving, but min_available is 1"));
    EXPECT_EQ(count(EventKind::hold_urgent), 1U) << "once, not at every check";
    unit(a).readiness->connections = 4;
    steps(10);
    unit(a).readiness->connections = 0;
    steps(10);
    EXPECT_EQ(count(EventKind::hold_urgent), 2U) << "again after it recovered and failed";
}

TEST_F(Paused, GoesOnLookingWhenTheBusIsDown) {
    pause_in_the_first_soak();
    before("sample", [&] { fail_next("sample", no_answer); });
    steps(20);
    EXPECT_TRUE(stands_still());
    leave_alone();
    resume();
    EXPECT_TRUE(done());
}

/// While paused, keyturnd does not continue when the missing replicas come back.
TEST_F(Paused, EndsAWaitForReplicas) {
    policy.rollout.soak = 1s;
    ASSERT_TRUE(rotate_until("save soak"));
    ASSERT_TRUE(run_until("save roll"));
    unit(a).lose_connections();
    ASSERT_TRUE(run_until([&] { return rotation->view().state == RotationState::waiting; }));
    ASSERT_THAT(rotation->view().reason, HasSubstr("too few replicas"));
    pause();
    come_to_a_standstill();
    unit(a).token = Token::ours;
    resume();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Paused, DoesNotKeepARefusalBack) {
    paused = true;
    tunnel_deleted = true;
    rotate();
    EXPECT_TRUE(refused());
}

TEST_F(Paused, GoesBackWithoutARestartWhenAnOperatorReverts) {
    pause_in_the_first_soak();
    rotation->ask_to_revert();
    ASSERT_TRUE(run_until([&] { return !stands_still(); }));
    come_to_a_standstill();
    EXPECT_EQ(api_token, Token::old) << "a pause stops restarts, not the secret";
    EXPECT_EQ(file_token, Token::old);
    EXPECT_EQ(restarts(a), 1);
    resume();
    EXPECT_TRUE(done());
    EXPECT_EQ(restarts(a), 2);
    EXPECT_EQ(outcome(), Outcome::reverted);
}

TEST_F(Paused, NeitherSendsNorRestartsWhereverACrashComes) {
    after_every_action(started<CrashWorld>(), [](CrashWorld& world) {
        world.pause();
        world.crash_and_restart();
        const int restarts = world.restarts();
        static_cast<void>(
            world.run_until([&] { return world.rotation->view().state == RotationState::paused; }));
        EXPECT_EQ(world.restarts(), restarts);
        world.resume();
        EXPECT_TRUE(world.done());
        EXPECT_EQ(world.patches, 1);
        EXPECT_EQ(world.secrets_made, 1);
    });
}

}  // namespace
}  // namespace keyturn
