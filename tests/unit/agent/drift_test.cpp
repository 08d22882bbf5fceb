#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class DriftTest : public TunnelAgentTest {
  protected:
    [[nodiscard]] std::ptrdiff_t told(EventKind kind) const {
        return std::ranges::count(log_.events, kind, &Event::kind);
    }
};

TEST_F(DriftTest, TakesOverATokenThatSomebodyElseMade) {
    start_serving();
    pass(5min);  // Until what the first looks have found is gone.
    host_->rotate_by_somebody_else('f');
    pass(9min);
    EXPECT_FALSE(file_holds_the_api_token()) << "nobody has looked yet";
    pass(1h);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_TRUE(log_.told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(), 2) << "both units run on theirs";
    EXPECT_THAT(host_->secrets_sent, SizeIs(0)) << "no secret of ours";
    EXPECT_EQ(agent_->status().state, "idle");
    EXPECT_EQ(agent_->status().last_outcome, "taken over");
    EXPECT_FALSE(agent_->status().last_done) << "a token of somebody else is no rotation of ours";
    EXPECT_FALSE(tokens_->pending("web")->has_value());
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
    host_->api_down = Error{Fault::unreachable, "no route to the API", {}};
    pass(15min);
    ASSERT_EQ(told(EventKind::drift_unknown), 1);
    host_->api_down.reset();
    pass(4min);
    EXPECT_EQ(told(EventKind::finding_ended), 1) << "long before the next interval";
}

TEST_F(DriftTest, OnlyDeliversWhereUnitsAreNotToBeRestarted) {
    policy_.drift.restart = DriftRestart::never;
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(1h);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_EQ(restarts(), 0);
    EXPECT_THAT(agent_->status().reason, HasSubstr("you have to restart the units yourself"));
}

/// From 04:00 on; it is 02:30.
std::vector<Window> morning(Milliseconds length) {
    return {{parse_calendar("04:00").value(), length}};
}

TEST_F(DriftTest, RestartsTheUnitsInAWindow) {
    policy_.schedule.windows = morning(4h);
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(20min);
    EXPECT_TRUE(file_holds_the_api_token()) << "delivered at once";
    EXPECT_EQ(agent_->status().state, "waiting");
    EXPECT_THAT(agent_->status().reason, HasSubstr("the window opens at 2026-03-01T04:00:00Z"));
    stop();
    pass(5min);
    start();
    pass(1h);
    EXPECT_EQ(restarts(), 0);
    EXPECT_EQ(agent_->status().state, "waiting") << "after a restart, too";
    pass(30min);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(agent_->status().last_outcome, "taken over");
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
    EXPECT_EQ(agent_->status().last_outcome, "taken over");
}

TEST_F(DriftTest, DoesNotWaitForAWindowWithAUnitThatCannotServeAnyMore) {
    policy_.schedule.windows = morning(4h);
    start_serving();
    host_->rotate_by_somebody_else('f');
    pass(20min);
    ASSERT_EQ(restarts(), 0);
    host_->units.at("cloudflared-web@2.service").connected = false;
    pass(20min);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(agent_->status().last_outcome, "taken over");
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
    EXPECT_EQ(agent_->status().state, "held");
    EXPECT_EQ(agent_->status().hold_reason, "foreign_rotation");
    EXPECT_EQ(restarts(), 4) << "two were taken over";
}

TEST_F(DriftTest, NeverTakesOverASecretThatWasRotatedAwayUnasked) {
    start_serving();
    ASSERT_TRUE(agent_->request_rotation({}));
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("idle"));
    host_->rotate_by_somebody_else('o');  // As Terraform does with a secret it remembers.
    pass(1h);
    EXPECT_EQ(agent_->status().state, "held");
    EXPECT_EQ(agent_->status().hold_reason, "retired_secret");
    EXPECT_FALSE(file_holds_the_api_token());
    stop();
    start();
    pass(1h);
    EXPECT_EQ(agent_->status().hold_reason, "retired_secret") << "after a restart, too";
    ASSERT_TRUE(agent_->decide(Decision::retry));
    pass(1h);
    EXPECT_EQ(agent_->status().last_outcome, "taken over") << "because a person said so";
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(DriftTest, RaisesAnAlarmForAConnectorThatNothingAccountsFor) {
    start_serving();
    pass(1h);
    EXPECT_EQ(told(EventKind::foreign_connector), 0);
    host_->strangers.push_back({"stranger", "198.51.100.7", "2026-03-01T02:30:00Z", "", 4});
    pass(3h);
    ASSERT_EQ(told(EventKind::foreign_connector), 1) << "once";
    EXPECT_THAT(log_.events.back().message, HasSubstr("connector stranger from 198.51.100.7"));
    EXPECT_THAT(log_.events.back().message, HasSubstr("rotate web --compromised` shuts it out"));
    EXPECT_THAT(agent_->status().findings,
                ElementsAre(AllOf(HasSubstr("connector stranger from 198.51.100.7"),
                                  HasSubstr("--compromised"))));
    host_->strangers.clear();
    pass(1h);
    EXPECT_THAT(agent_->status().findings, IsEmpty());
    host_->strangers.push_back({"stranger", "198.51.100.7", "", "", 4});
    pass(1h);
    EXPECT_EQ(told(EventKind::foreign_connector), 2) << "it came back";
}

TEST_F(DriftTest, SaysOnceThatItCannotLook) {
    start_serving();
    pass(5min);  // Until what the first looks have found is gone.
    host_->api_down = Error{Fault::denied, "the API token lacks Write", {}};
    pass(3h);
    EXPECT_EQ(told(EventKind::drift_unknown), 1);
    EXPECT_THAT(agent_->status().findings, ElementsAre(HasSubstr("the API token lacks Write")));
    host_->api_down->text += " (cf-ray 5ec7077f38cd3d08-TST)";
    pass(1h);
    EXPECT_EQ(told(EventKind::drift_unknown), 1) << "each answer has a number of its own";
    EXPECT_EQ(agent_->status().state, "idle");
    host_->api_down.reset();
    host_->rotate_by_somebody_else('f');
    pass(1h);
    EXPECT_TRUE(file_holds_the_api_token());
}

}  // namespace
}  // namespace keyturn
