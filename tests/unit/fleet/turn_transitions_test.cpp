#include "unit/fleet/transitions.hpp"

namespace keyturn {
namespace {

TEST(GrantTurn, LetsOneUnitTakeItsTurn) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(twice(document, granting(wish_for(1, document))));
    ASSERT_THAT(document.turns, SizeIs(1));
    const FleetTurn& turn = document.turns[0];
    EXPECT_EQ(turn.number, 1U);
    EXPECT_EQ(turn.unit, unit_of(1));
    EXPECT_EQ(turn.rotation_id, fleet_rotation);
    EXPECT_EQ(turn.state, TurnState::granted);
    EXPECT_EQ(turn.deadline, Milliseconds(120'000));
    EXPECT_EQ(turn.invocation_before, "");
}

TEST(GrantTurn, IsNotGivenWhileAnotherUnitHasTakenItsTurn) {
    const FleetDocument document = fleet_with_turn(2, TurnState::taken);
    EXPECT_EQ(refusal(document, granting(wish_for(1, document))), Fault::busy);
    FleetDocument over = fleet_with_turn(2, TurnState::ended);
    EXPECT_TRUE(twice(over, granting(wish_for(1, over))));
}

TEST(GrantTurn, WithdrawsATurnOfAnEarlierPlanThatNobodyHasTaken) {
    FleetDocument document = fleet_with_turn(2, TurnState::granted);
    ASSERT_TRUE(twice(document, granting(wish_for(1, document))));
    ASSERT_THAT(document.turns, SizeIs(1));
    EXPECT_EQ(document.turns[0].unit, unit_of(1));
}

TEST(GrantTurn, HurriesBesideOthersAfterACompromise) {
    FleetDocument document = fleet_with_turn(2, TurnState::taken);
    TurnWish wish = wish_for(1, document);
    wish.hurried = true;
    ASSERT_TRUE(twice(document, granting(wish)));
    EXPECT_THAT(document.turns, SizeIs(2));
}

TEST(GrantTurn, ReplacesTheUnitsTurnThatHasEnded) {
    FleetDocument document = fleet_with_turn(1, TurnState::ended);
    ASSERT_TRUE(twice(document, granting(wish_for(1, document))));
    ASSERT_THAT(document.turns, SizeIs(1));
    EXPECT_EQ(document.turns[0].number, 5U) << "a number is never used again";
}

TEST(GrantTurn, IsNotGivenWhileTheRotationIsHeld) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->hold = small_hold();
    EXPECT_EQ(refusal(document, granting(wish_for(1, document))), Fault::conflict);
}

TEST(GrantTurn, IsNotGivenToAHostWithoutTheToken) {
    FleetDocument document = rolling_fleet();
    document.members.at("host-1").file = old_print;
    EXPECT_EQ(refusal(document, granting(wish_for(1, document))), Fault::busy);
    EXPECT_TRUE(twice(document, granting(wish_for(2, document)))) << "only its own file counts";
}

TEST(GrantTurn, IsNotGivenIfAnyUnitHasChangedSinceTheDecision) {
    const FleetDocument seen = rolling_fleet();
    const TurnWish wish = wish_for(1, seen);
    FleetDocument restarted = seen;
    restarted.members.at("host-2").units[0].seen.state.invocation = process(201);
    EXPECT_EQ(refusal(restarted, granting(wish)), Fault::busy);
    FleetDocument reconnected = seen;
    reconnected.members.at("host-2").units[0].seen.readiness->connector_id = "another";
    EXPECT_EQ(refusal(reconnected, granting(wish)), Fault::busy);
    FleetDocument failed = seen;
    fail(failed.members.at("host-2").units[0].seen.state);
    EXPECT_EQ(refusal(failed, granting(wish)), Fault::busy);
    FleetDocument grown = seen;
    grown.members.emplace("host-3", small_member(3));
    EXPECT_EQ(refusal(grown, granting(wish)), Fault::busy);
    FleetDocument same = seen;
    same.members.at("host-2").units[0].seen.readiness->connections = 3;
    EXPECT_TRUE(twice(same, granting(wish))) << "the list of Cloudflare says how many there are";
}

TEST(GrantTurn, NamesAUnitThatNoHostHas) {
    const FleetDocument document = rolling_fleet();
    EXPECT_EQ(refusal(document, granting(wish_for(3, document))), Fault::missing);
}

TEST(WithdrawTurn, TakesBackOnlyWhatNobodyHasTaken) {
    const FleetTransition withdrawing = [](FleetDocument& document) {
        return withdraw_turn(document, lead, 4);
    };
    FleetDocument document = fleet_with_turn(1, TurnState::granted);
    ASSERT_TRUE(twice(document, withdrawing));
    EXPECT_THAT(document.turns, IsEmpty());
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::taken), withdrawing), Fault::conflict);
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::ended), withdrawing), Fault::conflict);
}

TEST(ClearTurn, RemovesOnlyATurnThatHasEnded) {
    const FleetTransition clearing = [](FleetDocument& document) {
        return clear_turn(document, lead, 4);
    };
    FleetDocument ended = fleet_with_turn(1, TurnState::ended);
    ASSERT_TRUE(twice(ended, clearing));
    EXPECT_THAT(ended.turns, IsEmpty());
    FleetDocument taken = fleet_with_turn(1, TurnState::taken);
    ASSERT_TRUE(twice(taken, clearing));
    EXPECT_THAT(taken.turns, SizeIs(1));
}

}  // namespace
}  // namespace keyturn
