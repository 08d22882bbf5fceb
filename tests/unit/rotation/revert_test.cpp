#include "fakes/crash_loop.hpp"
#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

struct RevertWorld : RotationWorld {
    /// Runs until the first batch soaks.
    void reach_the_soak() {
        start();
        ASSERT_TRUE(run_past("save soak"));
    }

    /// Does what `keyturnctl revert` does, and runs to the end.
    void revert() {
        ASSERT_TRUE(rotation->can_revert());
        rotation->ask_to_revert();
        ASSERT_TRUE(run_until([&] { return rotation->record().reverts(); }));
        run();
    }

    void expect_everything_as_before() const {
        EXPECT_TRUE(done());
        EXPECT_EQ(api_token, Token::old);
        EXPECT_EQ(file_token, Token::old);
        EXPECT_EQ(secrets_made, 1) << "the old secret is sent again; there is no third one";
        EXPECT_FALSE(pending_kept);
        for (const auto& [name, unit] : units) EXPECT_EQ(unit.token, Token::old) << name;
        ASSERT_THAT(history, SizeIs(1));
        EXPECT_EQ(outcome(), Outcome::reverted);
        EXPECT_EQ(history.front().old_fingerprint, "new");
        EXPECT_EQ(history.front().new_fingerprint, "old");
    }
};

using Revert = WorldTest<RevertWorld>;

TEST_F(Revert, SendsTheOldSecretDeliversItAndRestartsWhatWasRestarted) {
    reach_the_soak();
    revert();
    expect_everything_as_before();
    EXPECT_THAT(deeds(), ElementsAre("patch", "deliver", "restart " + a, "take back", "patch",
                                     "deliver", "restart " + a));
    EXPECT_GE(fewest_serving, 1);
    EXPECT_EQ(history.front().units[0].verified_by, "systemd, ready, api");
    EXPECT_EQ(history.front().units[1].verified_by, "not restarted");
}

TEST_F(Revert, IsToldAsAnAlarmAndInTheHistory) {
    reach_the_soak();
    revert();
    const Event* began = last(EventKind::rotation_reverting);
    ASSERT_NE(began, nullptr);
    EXPECT_EQ(began->priority, Priority::alert);
    EXPECT_EQ(began->result, "reverting");
    EXPECT_EQ(began->phase, "reverting");
    EXPECT_EQ(began->fingerprint, "old");
    EXPECT_THAT(began->message, HasSubstr("reverts to the old token: an operator asked for it"));
    EXPECT_EQ(last(EventKind::rotation_done)->result, "done");
    EXPECT_THAT(message(EventKind::secret_committed), HasSubstr("the old secret"));
    EXPECT_THAT(message(EventKind::token_delivered), HasSubstr("the old token"));
    EXPECT_THAT(history.front().text, AllOf(HasSubstr("is reverted to the old one"),
                                            HasSubstr("Why: an operator asked for it")));
}

TEST_F(Revert, SparesAUnitWhoseRestartWasRecordedAndNeverMade) {
    fail_next("restart " + a, no_right);
    rotate();
    ASSERT_TRUE(held());
    revert();
    expect_everything_as_before();
    EXPECT_EQ(restarts(a), 0) << "it has never left the old token";
    EXPECT_EQ(restarts(b), 0);
}

TEST_F(Revert, IsDurableBeforeTheOldSecretIsSent) {
    reach_the_soak();
    rotation->ask_to_revert();
    ASSERT_TRUE(run_until("take back"));
    ASSERT_TRUE(disk_record);
    EXPECT_EQ(disk_record->phase, Phase::revert);
    EXPECT_EQ(disk_record->reverting, "an operator asked for it");
}

TEST_F(Revert, IsNotWatchedForASoak) {
    add_unit(c);
    reach_the_soak();
    for (const std::string& each : {b, c}) unit(each).replace_process("rebooted " + each);
    const BootTime asked = now;
    revert();
    expect_everything_as_before();
    EXPECT_LT(now - asked, 2min);
    EXPECT_EQ(count("save soak"), 1U);
}

/// The PATCH may still arrive although the API shows the old token.
TEST_F(Revert, AlwaysSendsThePatch) {
    fail_next("patch", answer_lost);
    start();
    ASSERT_TRUE(run_past("patch"));
    ASSERT_EQ(api_token, Token::old);
    revert();
    expect_everything_as_before();
    EXPECT_THAT(deeds(), ElementsAre("patch", "take back", "patch", "deliver"));
    EXPECT_EQ(restarts(), 0) << "no unit has left the old token";
}

TEST_F(Revert, IsARefusalWhileNothingIsTouched) {
    fail_next("read token", no_answer);
    ASSERT_TRUE(rotate_until("wait"));
    rotation->ask_to_revert();
    run();
    ASSERT_TRUE(refused());
    EXPECT_EQ(history.front().text, "an operator called it off");
    EXPECT_TRUE(deeds().empty());
}

TEST_F(Revert, IsARefusalUntilTheSecretIsSentToo) {
    paused = true;
    ASSERT_TRUE(rotate_until("wait"));
    ASSERT_EQ(rotation->view().state, RotationState::paused);
    rotation->ask_to_revert();
    run();
    ASSERT_TRUE(refused());
    EXPECT_EQ(history.front().text, "an operator called it off");
    EXPECT_FALSE(pending_kept);
    EXPECT_TRUE(deeds().empty());
}

TEST_F(Revert, FollowsAFailedVerificationWhereThePolicySaysSo) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::fails;
    before("take back", [&] { unit(a).fate = Fate::comes_up; });
    rotate();
    expect_everything_as_before();
    EXPECT_FALSE(told(EventKind::rotation_held));
    EXPECT_THAT(history.front().text, HasSubstr(a + " did not come back with the new token"));
    EXPECT_EQ(restarts(b), 0);
}

TEST_F(Revert, FollowsAUnitThatFailsInTheSoakToo) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::dies_later;
    before("take back", [&] { unit(a).fate = Fate::comes_up; });
    rotate();
    expect_everything_as_before();
    EXPECT_THAT(history.front().text, HasSubstr("was verified and then failed"));
}

TEST_F(Revert, IsMadeOnceAndThenHeld) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::fails;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::verification_failed);
    EXPECT_FALSE(rotation->can_revert());
    EXPECT_EQ(count("take back"), 1U);
    EXPECT_EQ(restarts(b), 0);
    unit(a).fate = Fate::comes_up;
    retry();
    expect_everything_as_before();
}

TEST_F(Revert, IsNoAnswerToAnOperatorWhoTookOver) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::canceled;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::operator_took_over);
    EXPECT_FALSE(told(EventKind::rotation_reverting));
}

TEST_F(Revert, LeavesAHold) {
    unit(a).fate = Fate::fails;
    rotate();
    ASSERT_TRUE(held());
    unit(a).fate = Fate::comes_up;
    revert();
    expect_everything_as_before();
}

TEST_F(Revert, LeavesAHoldThatACrashHasComeAfter) {
    unit(a).fate = Fate::fails;
    rotate();
    crash_and_restart();
    ASSERT_TRUE(held());
    unit(a).fate = Fate::comes_up;
    revert();
    expect_everything_as_before();
}

/// The unit may have read the new token at its start.
TEST_F(Revert, RestartsAUnitThatSomebodyElseRestarted) {
    reach_the_soak();
    unit(b).replace_process("rebooted");
    unit(b).token = Token::ours;
    revert();
    expect_everything_as_before();
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Revert, RestartsAUnitThatHasLostConnections) {
    reach_the_soak();
    unit(b).readiness->connections = 2;
    revert();
    expect_everything_as_before();
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Revert, SparesAUnitThatLacksOneConnection) {
    reach_the_soak();
    unit(b).readiness->connections = 3;
    revert();
    expect_everything_as_before();
    EXPECT_EQ(restarts(b), 0);
}

TEST_F(Revert, EndsOnTheTokenOfSomebodyElseWhoComesInBetween) {
    reach_the_soak();
    before("take back", [&] { api_token = Token::foreign; });
    revert();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::taken_over);
    EXPECT_TRUE(told(EventKind::foreign_rotation));
    EXPECT_EQ(patches, 1) << "keyturnd does not overwrite their secret";
    EXPECT_EQ(restarts(b), 1) << "every unit restarts: the old token is dead";
}

TEST_F(Revert, IsHeldWhereCloudflareTakesTheOldSecretNoMore) {
    reach_the_soak();
    fail_next("patch", no_right);
    revert();
    ASSERT_EQ(held_for(), HoldReason::denied);
    EXPECT_THAT(hold().text, HasSubstr("cannot send the old secret"));
    EXPECT_EQ(file_token, Token::ours) << "as Cloudflare has it";
    retry();
    expect_everything_as_before();
}

TEST_F(Revert, IsHeldWhereCloudflareGoesOnShowingTheNewToken) {
    reach_the_soak();
    token_shown = Token::ours;
    revert();
    ASSERT_EQ(held_for(), HoldReason::secret_not_taken);
    EXPECT_EQ(file_token, Token::ours) << "the file is put back to what is shown";
    EXPECT_EQ(restarts(a), 1);
    token_shown.reset();
    retry();
    expect_everything_as_before();
}

TEST_F(Revert, CannotBeAskedForWhereThereIsNoWayBack) {
    RotationWorld taking;
    taking.request.kind = RotationKind::takeover;
    taking.api_token = Token::foreign;
    taking.start();
    EXPECT_FALSE(taking.rotation->can_revert()) << "the token is somebody else's";

    RotationWorld leaked;
    leaked.request.kind = RotationKind::compromise;
    leaked.start();
    EXPECT_FALSE(leaked.rotation->can_revert()) << "the old token is compromised";

    RevertWorld reverting;
    reverting.reach_the_soak();
    reverting.rotation->ask_to_revert();
    ASSERT_TRUE(reverting.run_until("take back"));
    EXPECT_FALSE(reverting.rotation->can_revert()) << "there is nothing before that";

    ASSERT_TRUE(rotate_until("forget"));
    EXPECT_FALSE(rotation->can_revert()) << "the secrets are being wiped";
}

/// The operator asks in time, but the rotation already waits for a full disk at its end.
TEST_F(Revert, ComesTooLateOnceEverythingIsProven) {
    start();
    ASSERT_TRUE(run_past("save finish"));
    ASSERT_TRUE(run_until("save finish"));
    fail_next("save finish", disk_full);
    rotation->ask_to_revert();
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::done);
    EXPECT_EQ(count("take back"), 0U);
}

/// Three units, a short soak, and a revert in the middle.
RevertWorld asked_to_revert() {
    RevertWorld world;
    world.add_unit(c);
    world.be_quick();
    world.reach_the_soak();
    world.rotation->ask_to_revert();
    return world;
}

TEST_F(Revert, IsFinishedAfterACrashAtAnyMoment) {
    std::size_t crashes = 0;
    after_every_action(asked_to_revert(), [&](RevertWorld& world) {
        if (!world.disk_record->reverts()) return;
        ++crashes;
        world.crash_and_restart();
        world.run();
        world.expect_everything_as_before();
        EXPECT_LE(world.patches, 3) << "sent once more after a crash";
        EXPECT_EQ(world.restarts(a), 2);
        EXPECT_EQ(world.restarts(b) + world.restarts(c), 0);
        EXPECT_GE(world.fewest_serving, 2);
    });
    EXPECT_GT(crashes, 25U);
}

TEST_F(Revert, IsFinishedAfterTwoCrashes) {
    at_each(points(4, 60, 5), [](std::size_t first) {
        at_each(points(1, 40, 3), [&](std::size_t second) {
            RevertWorld world = asked_to_revert();
            world.steps(first);
            ASSERT_TRUE(world.disk_record && world.disk_record->reverts());
            world.crash_and_restart();
            world.steps(second);
            if (!world.disk_record) return;
            world.crash_and_restart();
            world.run();
            world.expect_everything_as_before();
            EXPECT_EQ(world.restarts(b) + world.restarts(c), 0);
        });
    });
}

/// Nobody knows whether it was restarted on the new token meanwhile.
TEST_F(Revert, SparesNoUnitWhoseHostDoesNotHaveTheOldTokenAgain) {
    start();
    ASSERT_TRUE(run_past("restart " + a));
    unit(b).behind = true;
    rotation->ask_to_revert();
    ASSERT_TRUE(run_until(EventKind::rotation_reverting));
    ASSERT_TRUE(run_for(1min));
    unit(b).behind = false;
    run();
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(restarts(b), 1);
}

}  // namespace
}  // namespace keyturn
