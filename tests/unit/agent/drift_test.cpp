#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

using DriftTest = TunnelAgentTest;

TEST_F(DriftTest, TakesOverATokenThatSomebodyElseMade) {
    start_serving();
    pass(5min);  // Until the findings of the first checks are gone.
    host_->rotate_by_somebody_else('f');
    pass(9min);
    EXPECT_FALSE(file_holds_the_api_token()) << "keyturnd has not checked yet";
    pass(1h);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_TRUE(told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(), 2) << "both units run on theirs";
    EXPECT_THAT(host_->secrets_sent, SizeIs(0)) << "no secret of ours";
    EXPECT_EQ(status().state, "idle");
    EXPECT_EQ(status().last_outcome, "taken over");
    EXPECT_FALSE(status().last_done) << "somebody else's rotation does not count";
    EXPECT_FALSE(keeps_secrets());
}

TEST_F(DriftTest, LooksRightAfterTheStart) {
    start_serving();
    stop();
    host_->rotate_by_somebody_else('f');
    start();
    pass(1min);
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(DriftTest, LooksAgainWithinMinutesWhereALookFailed) {
    start_serving();
    pass(5min);
    host_->api_down = no_answer;
    pass(15min);
    ASSERT_EQ(count(EventKind::drift_unknown), 1U);
    host_->api_down.reset();
    pass(4min);
    EXPECT_EQ(count(EventKind::finding_ended), 1U) << "long before the next interval";
}

TEST_F(DriftTest, OnlyDeliversWhereUnitsAreNotToBeRestarted) {
    policy_.drift.restart = DriftRestart::never;
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(1h);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_EQ(restarts(), 0);
    EXPECT_THAT(status().reason, HasSubstr("you have to restart the units yourself"));
}

/// A window from 04:00 on; it is 02:30 now.
std::vector<Window> morning(Milliseconds length) {
    return {{parse_calendar("04:00").value(), length}};
}

TEST_F(DriftTest, RestartsTheUnitsInAWindow) {
    policy_.schedule.windows = morning(4h);
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(20min);
    EXPECT_TRUE(file_holds_the_api_token()) << "delivered at once";
    EXPECT_EQ(status().state, "waiting");
    EXPECT_THAT(status().reason, HasSubstr("the window opens at 2026-03-01T04:00:00Z"));
    stop();
    pass(5min);
    start();
    pass(1h);
    EXPECT_EQ(restarts(), 0);
    EXPECT_EQ(status().state, "waiting") << "after a restart, too";
    pass(30min);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(status().last_outcome, "taken over");
}

TEST_F(DriftTest, DeliversTheNextForeignTokenWhileItWaitsForTheWindow) {
    policy_.schedule.windows = morning(4h);
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(20min);
    host_->rotate_by_somebody_else('g');
    pass(20min);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_EQ(restarts(), 0);
    pass(2h);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(status().last_outcome, "taken over");
}

TEST_F(DriftTest, DoesNotWaitForAWindowWithAUnitThatCannotServeAnyMore) {
    policy_.schedule.windows = morning(4h);
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(20min);
    ASSERT_EQ(restarts(), 0);
    second().connected = false;
    pass(20min);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(status().last_outcome, "taken over");
}

TEST_F(DriftTest, DoesNotWaitForAWindowThatIsNeverLongEnoughOrWhereItSaysNow) {
    policy_.schedule.windows = morning(1min);
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(40min);
    EXPECT_EQ(restarts(), 2);
    stop();
    policy_.schedule.windows = morning(4h);
    policy_.drift.restart = DriftRestart::now;
    start();
    host_->rotate_by_somebody_else('g');
    pass(40min);
    EXPECT_EQ(restarts(), 4);
}

TEST_F(DriftTest, HoldsWhenSomebodyKeepsRotating) {
    start_serving();
    for (const char secret : {'f', 'g', 'h'}) {
        host_->rotate_by_somebody_else(secret);
        pass(1h);
    }
    EXPECT_EQ(status().state, "held");
    EXPECT_EQ(status().hold_reason, "foreign_rotation");
    EXPECT_EQ(restarts(), 4) << "two were taken over";
}

TEST_F(DriftTest, NeverTakesOverASecretThatWasRotatedAwayUnasked) {
    start_serving();
    rotate();
    host_->rotate_by_somebody_else('o');  // Terraform does this with a secret in its state.
    pass(1h);
    EXPECT_EQ(status().state, "held");
    EXPECT_EQ(status().hold_reason, "retired_secret");
    EXPECT_FALSE(file_holds_the_api_token());
    restart();
    pass(1h);
    EXPECT_EQ(status().hold_reason, "retired_secret") << "after a restart, too";
    decide(Decision::retry);
    pass(1h);
    EXPECT_EQ(status().last_outcome, "taken over") << "because a person said so";
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(DriftTest, RaisesAnAlarmForAConnectorThatNothingAccountsFor) {
    start_serving();
    pass(1h);
    EXPECT_EQ(count(EventKind::foreign_connector), 0U);
    host_->strangers = {thief};
    pass(3h);
    ASSERT_EQ(count(EventKind::foreign_connector), 1U) << "once";
    EXPECT_THAT(log_.events.back().message, HasSubstr("connector thief from " + other_address));
    EXPECT_THAT(log_.events.back().message, HasSubstr("`keyturnctl rotate web --compromised`"));
    EXPECT_THAT(status().findings,
                ElementsAre(AllOf(HasSubstr("connector thief from " + other_address),
                                  HasSubstr("--compromised"))));
    host_->strangers.clear();
    pass(1h);
    EXPECT_THAT(status().findings, IsEmpty());
    host_->strangers = {thief};
    pass(1h);
    EXPECT_EQ(count(EventKind::foreign_connector), 2U) << "it came back";
}

TEST_F(DriftTest, SaysOnceThatItCannotLook) {
    start_serving();
    pass(5min);  // Until the findings of the first checks are gone.
    host_->api_down = no_write;
    pass(3h);
    EXPECT_EQ(count(EventKind::drift_unknown), 1U);
    EXPECT_THAT(status().findings, ElementsAre(HasSubstr("the API token lacks Write")));
    host_->api_down->text += " (cf-ray 5ec7077f38cd3d08-TST)";
    pass(1h);
    EXPECT_EQ(count(EventKind::drift_unknown), 1U) << "each answer has a number of its own";
    EXPECT_EQ(status().state, "idle");
    host_->api_down.reset();
    host_->rotate_by_somebody_else('f');
    pass(1h);
    EXPECT_TRUE(file_holds_the_api_token());
}

}  // namespace
}  // namespace keyturn
