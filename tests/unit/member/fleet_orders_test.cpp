#include "unit/member/fleet_hosts.hpp"

namespace keyturn {
namespace {

// What people order on a host that cannot lead.

TEST_F(FleetTunnelTest, PausesAndResumesForEveryHost) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_phase(Phase::soak));
    const int restarted = restarts();
    decide(Decision::pause);
    pass(1h);
    EXPECT_EQ(restarts(), restarted);
    EXPECT_TRUE(document().state.paused);
    decide(Decision::resume);
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(restarts(), 2);
}

TEST_F(FleetTunnelTest, HoldsOnEveryHostAndGoesOnAfterARetry) {
    come_to_a_hold();
    pass(1h);
    EXPECT_EQ(second_.place->status().state, "held");
    EXPECT_EQ(first_.place->status().state, "held");
    EXPECT_LE(first_.unit().restarts, 1);
    repair();
    pass(1min);
    decide(Decision::retry);
    ASSERT_TRUE(run_until_done());
    expect_all_on_the_token_of_cloudflare();
    EXPECT_THAT(first_.units.secrets_sent, SizeIs(1));
}

TEST_F(FleetTunnelTest, RevertsOnEveryHost) {
    make_fleet();
    const std::string old = first_.file();
    second_.unit().ignores_starts = true;
    request();
    ASSERT_TRUE(run_until_held());
    repair();
    pass(1min);
    decide(Decision::revert);
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(first_.file(), old);
    expect_all_on_the_token_of_cloudflare();
    EXPECT_EQ(second_.history()[0].outcome, Outcome::reverted);
}

TEST_F(FleetTunnelTest, RefusesAnOrderForAReasonThatIsInTheObject) {
    make_fleet();
    decide(Decision::retry);
    ASSERT_TRUE(run_until([this] { return document().order.done == 1; }));
    EXPECT_NE(document().order.refusal, "");
    request();
    ASSERT_TRUE(run_until_done()) << "it is not in the way of the next one";
}

TEST_F(FleetTunnelTest, ARefusalIsNotLostWithTheAnswerOfTheStore) {
    make_fleet();
    decide(Decision::retry);
    ASSERT_TRUE(run_until([this] { return document().order.open(); }));
    object_.fates = {SwapFate::unreachable, SwapFate::unreachable};
    ASSERT_TRUE(run_until([this] { return !document().order.open(); }));
    EXPECT_THAT(document().order.refusal, HasSubstr("is not held"));
}

TEST_F(FleetTunnelTest, ACompromiseGoesBeforeWhatWaitsAlready) {
    make_fleet();
    object_.down = no_answer;
    for (int i = 0; i < 3; ++i) decide(Decision::retry);
    request({.kind = RotationKind::compromise});
    pass(10s);
    object_.down.reset();
    ASSERT_TRUE(run_until([this] { return document().order.number > 0; }, 2min));
    EXPECT_TRUE(document().order.urgent());
}

TEST_F(FleetTunnelTest, RefusesMoreOrdersThanCanWait) {
    make_fleet();
    object_.down = no_answer;
    for (int i = 0; i < 20; ++i) decide(Decision::retry);
    EXPECT_FALSE(second_.place->decide(Decision::retry));
}

TEST_F(FleetTunnelTest, TellsWhichOrderIsLostWhenKeyturndStops) {
    make_fleet();
    object_.down = no_answer;
    decide(Decision::retry);
    pass(1min);
    second_.stop();
    EXPECT_THAT(second_.log.message(EventKind::rotation_refused),
                AllOf(HasSubstr("(retry) is dropped"), HasSubstr("repeat it")));
}

TEST_F(FleetTunnelTest, RefusesAUnitThatCannotBeOne) {
    make_fleet();
    const Result<void> asked =
        second_.place->request_rotation({.kind = RotationKind::adopt, .units = {"cloudflared"}});
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().text, "cloudflared is not the name of a unit");
}

/// A lead that has only heard of it may die before the rotation turns.
TEST_F(FleetTunnelTest, ARevertThatTheDeadLeadHasOnlyHeardOfIsNotLost) {
    make_fleet();
    const std::string old = first_.file();
    request();
    ASSERT_TRUE(run_until_phase(Phase::roll));
    decide(Decision::revert);
    ASSERT_TRUE(run_until([this] { return document().order.kind == OrderKind::revert; }));
    first_.stop();
    EXPECT_TRUE(document().order.open() || document().state.rotation->reverts());
    first_.start();
    ASSERT_TRUE(run_until([this] { return !document().state.rotation; }, 2h));
    EXPECT_EQ(first_.units.api_token_text(), old);
}

}  // namespace
}  // namespace keyturn
