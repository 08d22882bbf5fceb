#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Fate = RotationWorld::Fate;
using Token = RotationWorld::Token;

const std::string a = "cloudflared-web@1.service";
const std::string b = "cloudflared-web@2.service";
const std::string c = "cloudflared-web@3.service";

/// Goes on until the first batch is being soaked.
void reach_the_soak(RotationWorld& world) {
    world.start();
    ASSERT_TRUE(world.run_until("save soak"));
    world.step();
}

/// An operator's word, and what comes of it. A hold has to be left first.
void revert(RotationWorld& world) {
    ASSERT_TRUE(world.rotation->can_revert());
    world.rotation->ask_to_revert();
    for (int i = 0; i < 100 && !world.rotation->record().reverts(); ++i) world.step();
    world.run();
}

void expect_everything_as_before(RotationWorld& world) {
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.api_token, Token::old);
    EXPECT_EQ(world.file_token, Token::old);
    EXPECT_EQ(world.secrets_made, 1) << "the one before is sent again, no third one";
    EXPECT_FALSE(world.pending_kept);
    for (const auto& [name, unit] : world.units) EXPECT_EQ(unit.token, Token::old) << name;
    ASSERT_EQ(world.history.size(), 1U);
    EXPECT_EQ(world.history.front().outcome, Outcome::reverted);
    EXPECT_EQ(world.history.front().old_fingerprint, "new");
    EXPECT_EQ(world.history.front().new_fingerprint, "old");
}

TEST(Revert, SendsTheOldSecretDeliversItAndRestartsWhatWasRestarted) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    revert(world);
    expect_everything_as_before(world);
    EXPECT_THAT(world.deeds(), ElementsAre("patch", "deliver", "restart " + a, "take back", "patch",
                                           "deliver", "restart " + a));
    EXPECT_GE(world.fewest_serving, 1);
    const std::vector<UnitProgress>& units = world.history.front().units;
    EXPECT_EQ(units[0].verified_by, "systemd, ready, api");
    EXPECT_EQ(units[1].verified_by, "not restarted");
}

TEST(Revert, IsToldAsAnAlarmAndInTheHistory) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    revert(world);
    const Event* began = world.last(EventKind::rotation_reverting);
    ASSERT_NE(began, nullptr);
    EXPECT_EQ(began->priority, Priority::alert);
    EXPECT_EQ(began->result, "reverting");
    EXPECT_EQ(began->phase, "reverting");
    EXPECT_EQ(began->fingerprint, "old");
    EXPECT_THAT(began->message, HasSubstr("goes back to the old token: an operator asked for it"));
    EXPECT_EQ(world.last(EventKind::rotation_done)->result, "done");
    EXPECT_THAT(world.last(EventKind::secret_committed)->message, HasSubstr("the old secret"));
    EXPECT_THAT(world.last(EventKind::token_delivered)->message, HasSubstr("the old token"));
    EXPECT_THAT(world.history.front().text, AllOf(HasSubstr("is reverted to the old one"),
                                                  HasSubstr("Why: an operator asked for it")));
}

TEST(Revert, SparesAUnitWhoseRestartWasRecordedAndNeverMade) {
    RotationWorld world({a, b});
    world.faults.push_back({"restart " + a, {Fault::denied, "polkit does not allow it", {}}});
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    revert(world);
    expect_everything_as_before(world);
    EXPECT_EQ(world.unit(a).restarts, 0) << "it has never left the old token";
    EXPECT_EQ(world.unit(b).restarts, 0);
}

TEST(Revert, IsDurableBeforeTheOldSecretIsSent) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    world.rotation->ask_to_revert();
    ASSERT_TRUE(world.run_until("take back"));
    ASSERT_TRUE(world.disk_record);
    EXPECT_EQ(world.disk_record->phase, Phase::revert);
    EXPECT_EQ(world.disk_record->reverting, "an operator asked for it");
}

TEST(Revert, IsNotWatchedForASoak) {
    RotationWorld world({a, b, c});
    reach_the_soak(world);
    for (const std::string& each : {b, c}) {
        world.unit(each).state.invocation = "rebooted " + each;
        world.unit(each).readiness->connector_id = "rebooted " + each;
    }
    const BootTime asked = world.now;
    revert(world);
    expect_everything_as_before(world);
    EXPECT_LT(world.now - asked, 2min);
    EXPECT_EQ(world.count("save soak"), 1U);
}

/// The PATCH may still be on its way although the API shows the old token.
TEST(Revert, AlwaysSendsThePatch) {
    RotationWorld world({a, b});
    world.faults.push_back({"patch", {Fault::ambiguous, "the answer was lost", {}}});
    world.start();
    ASSERT_TRUE(world.run_until("patch"));
    world.step();
    ASSERT_EQ(world.api_token, Token::old);
    revert(world);
    expect_everything_as_before(world);
    EXPECT_THAT(world.deeds(), ElementsAre("patch", "take back", "patch", "deliver"));
    EXPECT_EQ(world.unit(a).restarts + world.unit(b).restarts, 0) << "nobody left the old token";
}

TEST(Revert, IsARefusalWhileNothingIsTouched) {
    RotationWorld world({a, b});
    world.faults.push_back({"read token", {Fault::unreachable, "connection refused", {}}});
    world.start();
    ASSERT_TRUE(world.run_until("wait"));
    world.rotation->ask_to_revert();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_EQ(world.history.front().text, "an operator called it off");
    EXPECT_TRUE(world.deeds().empty());
}

TEST(Revert, IsARefusalUntilTheSecretIsSentToo) {
    RotationWorld world({a, b});
    world.paused = true;
    world.start();
    ASSERT_TRUE(world.run_until("wait"));
    ASSERT_EQ(world.rotation->view().state, RotationState::paused);
    world.rotation->ask_to_revert();
    world.run();
    ASSERT_TRUE(world.refused());
    EXPECT_EQ(world.history.front().text, "an operator called it off");
    EXPECT_FALSE(world.pending_kept);
    EXPECT_TRUE(world.deeds().empty());
}

TEST(Revert, FollowsAFailedVerificationWhereThePolicySaysSo) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::fails;
    world.before_action = [&](const std::string& action) {
        if (action == "take back") world.unit(a).fate = Fate::comes_up;
    };
    world.start();
    world.run();
    expect_everything_as_before(world);
    EXPECT_FALSE(world.told(EventKind::rotation_held));
    EXPECT_THAT(world.history.front().text, HasSubstr(a + " did not come back with the new token"));
    EXPECT_EQ(world.unit(b).restarts, 0);
}

TEST(Revert, FollowsAUnitThatFailsInTheSoakToo) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::dies_later;
    world.before_action = [&](const std::string& action) {
        if (action == "take back") world.unit(a).fate = Fate::comes_up;
    };
    world.start();
    world.run();
    expect_everything_as_before(world);
    EXPECT_THAT(world.history.front().text, HasSubstr("was verified and then failed"));
}

TEST(Revert, IsMadeOnceAndThenHeld) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::fails;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::verification_failed);
    EXPECT_FALSE(world.rotation->can_revert());
    EXPECT_EQ(world.count("take back"), 1U);
    EXPECT_EQ(world.unit(b).restarts, 0);
    world.unit(a).fate = Fate::comes_up;
    world.retry_and_run();
    expect_everything_as_before(world);
}

TEST(Revert, IsNoAnswerToAnOperatorWhoTookOver) {
    RotationWorld world({a, b});
    world.policy.rollout.on_failure = OnFailure::revert;
    world.unit(a).fate = Fate::canceled;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::operator_took_over);
    EXPECT_FALSE(world.told(EventKind::rotation_reverting));
}

TEST(Revert, LeavesAHold) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::fails;
    world.start();
    world.run();
    ASSERT_TRUE(world.held());
    world.unit(a).fate = Fate::comes_up;
    revert(world);
    expect_everything_as_before(world);
}

TEST(Revert, LeavesAHoldThatACrashHasComeAfter) {
    RotationWorld world({a, b});
    world.unit(a).fate = Fate::fails;
    world.start();
    world.run();
    world.crash_and_restart();
    ASSERT_TRUE(world.held());
    world.unit(a).fate = Fate::comes_up;
    revert(world);
    expect_everything_as_before(world);
}

/// What it read when it was started is not known: it may have been the new token.
TEST(Revert, RestartsAUnitThatSomebodyElseRestarted) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    RotationWorld::Unit& other = world.unit(b);
    other.state.invocation = "rebooted";
    other.readiness->connector_id = "rebooted";
    other.token = Token::ours;
    revert(world);
    expect_everything_as_before(world);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Revert, RestartsAUnitThatHasLostConnections) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    world.unit(b).readiness->connections = 2;
    revert(world);
    expect_everything_as_before(world);
    EXPECT_EQ(world.unit(b).restarts, 1);
}

TEST(Revert, SparesAUnitThatLacksOneConnection) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    world.unit(b).readiness->connections = 3;
    revert(world);
    expect_everything_as_before(world);
    EXPECT_EQ(world.unit(b).restarts, 0);
}

TEST(Revert, EndsOnTheTokenOfSomebodyElseWhoComesInBetween) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    world.before_action = [&](const std::string& action) {
        if (action == "take back") world.api_token = Token::foreign;
    };
    revert(world);
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::taken_over);
    EXPECT_TRUE(world.told(EventKind::foreign_rotation));
    EXPECT_EQ(world.patches, 1) << "none of ours is sent over theirs";
    EXPECT_EQ(world.unit(b).restarts, 1) << "nobody is spared: the old token is dead";
}

TEST(Revert, IsHeldWhereCloudflareTakesTheOldSecretNoMore) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    world.faults.push_back({"patch", {Fault::denied, "no such secret", {}}});
    revert(world);
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::denied);
    EXPECT_THAT(world.disk_record->hold->text, HasSubstr("cannot send the old secret"));
    EXPECT_EQ(world.file_token, Token::ours) << "as Cloudflare has it";
    world.retry_and_run();
    expect_everything_as_before(world);
}

TEST(Revert, IsHeldWhereCloudflareGoesOnShowingTheNewToken) {
    RotationWorld world({a, b});
    reach_the_soak(world);
    world.token_shown = Token::ours;
    revert(world);
    ASSERT_TRUE(world.held());
    EXPECT_EQ(world.disk_record->hold->reason, HoldReason::secret_not_taken);
    EXPECT_EQ(world.file_token, Token::ours) << "the file is put back to what is shown";
    EXPECT_EQ(world.unit(a).restarts, 1);
    world.token_shown.reset();
    world.retry_and_run();
    expect_everything_as_before(world);
}

TEST(Revert, CannotBeAskedForWhereThereIsNoWayBack) {
    RotationWorld taking({a, b});
    taking.request.kind = RotationKind::takeover;
    taking.api_token = Token::foreign;
    taking.start();
    EXPECT_FALSE(taking.rotation->can_revert()) << "the token is somebody else's";

    RotationWorld compromised({a, b});
    compromised.request.kind = RotationKind::compromise;
    compromised.start();
    EXPECT_FALSE(compromised.rotation->can_revert()) << "the old token is in wrong hands";

    RotationWorld reverting({a, b});
    reach_the_soak(reverting);
    reverting.rotation->ask_to_revert();
    ASSERT_TRUE(reverting.run_until("take back"));
    EXPECT_FALSE(reverting.rotation->can_revert()) << "there is nothing before that";

    RotationWorld done({a, b});
    done.start();
    ASSERT_TRUE(done.run_until("forget"));
    EXPECT_FALSE(done.rotation->can_revert()) << "the secrets are being wiped";
}

/// Asked for in time, obeyed too late: at the wait for a disk that takes no record of the end.
TEST(Revert, ComesTooLateOnceEverythingIsProven) {
    RotationWorld world({a, b});
    world.start();
    ASSERT_TRUE(world.run_until("save finish"));
    world.step();
    ASSERT_TRUE(world.run_until("save finish"));
    world.faults.push_back({"save finish", {Fault::storage, "no space left", {}}});
    world.rotation->ask_to_revert();
    world.run();
    ASSERT_TRUE(world.done());
    EXPECT_EQ(world.history.front().outcome, Outcome::done);
    EXPECT_EQ(world.count("take back"), 0U);
}

/// Three units, a short soak, and an operator who asks for it in the middle.
struct RevertedWorld : RotationWorld {
    RevertedWorld() : RotationWorld({a, b, c}) {
        policy.rollout.soak = 4s;
        policy.rollout.min_healthy_time = 1s;
        reach_the_soak(*this);
        rotation->ask_to_revert();
    }
};

TEST(Revert, IsFinishedAfterACrashAtAnyMoment) {
    RevertedWorld whole;
    whole.log.clear();
    whole.run();
    const std::size_t actions = whole.log.size();
    ASSERT_GT(actions, 30U);
    for (std::size_t n = 1; n < actions; ++n) {
        SCOPED_TRACE(n);
        RevertedWorld world;
        for (std::size_t i = 0; i < n; ++i) world.step();
        if (!world.disk_record || !world.disk_record->reverts()) continue;
        world.crash_and_restart();
        world.run();
        expect_everything_as_before(world);
        EXPECT_LE(world.patches, 3) << "after a crash it is sent once more";
        EXPECT_EQ(world.unit(a).restarts, 2);
        EXPECT_EQ(world.unit(b).restarts + world.unit(c).restarts, 0);
        EXPECT_GE(world.fewest_serving, 2);
        if (HasFailure()) return;
    }
}

TEST(Revert, IsFinishedAfterTwoCrashes) {
    for (std::size_t first = 4; first < 60; first += 5) {
        for (std::size_t second = 1; second < 40; second += 3) {
            SCOPED_TRACE(testing::Message() << first << " then " << second);
            RevertedWorld world;
            for (std::size_t i = 0; i < first; ++i) world.step();
            ASSERT_TRUE(world.disk_record && world.disk_record->reverts());
            world.crash_and_restart();
            for (std::size_t i = 0; i < second && world.step(); ++i) {
            }
            if (!world.disk_record) continue;
            world.crash_and_restart();
            world.run();
            expect_everything_as_before(world);
            EXPECT_EQ(world.unit(b).restarts + world.unit(c).restarts, 0);
            if (HasFailure()) return;
        }
    }
}

}  // namespace
}  // namespace keyturn
