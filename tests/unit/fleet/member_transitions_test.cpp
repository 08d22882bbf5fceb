#include "unit/fleet/transitions.hpp"

namespace keyturn {
namespace {

TEST(Report, ReplacesTheEntryOfOneHost) {
    FleetDocument document = rolling_fleet();
    FleetMember member = small_member(2);
    member.staged = fleet_rotation;
    member.file = new_print;
    member.answers = 4;
    const FleetTransition reporting = [&](FleetDocument& reported) {
        return report(reported, "host-2", member);
    };
    ASSERT_TRUE(twice(document, reporting));
    EXPECT_EQ(document.members.at("host-2"), member);
    EXPECT_EQ(document.members.at("host-1"), rolling_fleet().members.at("host-1"));
}

TEST(Report, IsNotForAHostThatIsNoMemberOrWasReplaced) {
    const FleetDocument document = rolling_fleet();
    EXPECT_EQ(refusal(document,
                      [](FleetDocument& late) { return report(late, "host-3", small_member(3)); }),
              Fault::missing);
    FleetMember clone = small_member(2);
    clone.install = std::string(32, 'c');
    EXPECT_EQ(refusal(document, [&](FleetDocument& late) { return report(late, "host-2", clone); }),
              Fault::conflict);
}

FleetTransition taking(const std::string& host, const Fingerprint& file = new_print,
                       const std::string& invocation = process(100)) {
    return [=](FleetDocument& document) { return take_turn(document, host, 4, invocation, file); };
}

TEST(TakeTurn, SaysWhichProcessTheRestartReplaces) {
    FleetDocument document = fleet_with_turn(1, TurnState::granted);
    ASSERT_TRUE(twice(document, taking("host-1")));
    EXPECT_EQ(document.turns[0].state, TurnState::taken);
    EXPECT_EQ(document.turns[0].invocation_before, process(100));
    EXPECT_TRUE(taking("host-1")(document)) << "it is its own effect";
    EXPECT_EQ(refusal(document, taking("host-1", new_print, process(101))), Fault::conflict);
}

TEST(TakeTurn, IsOnlyForTheHostOfTheUnitAndAnOpenTurn) {
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::granted), taking("host-2")), Fault::conflict);
    EXPECT_EQ(refusal(rolling_fleet(), taking("host-1")), Fault::conflict) << "withdrawn";
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::ended), taking("host-1")), Fault::conflict);
}

TEST(TakeTurn, IsNotTakenInAHoldNorInAnotherRotation) {
    FleetDocument held = fleet_with_turn(1, TurnState::granted);
    held.state.rotation->hold = small_hold();
    EXPECT_EQ(refusal(held, taking("host-1")), Fault::conflict);
    FleetDocument other = fleet_with_turn(1, TurnState::granted);
    other.state.rotation->rotation_id = std::string(32, 'b');
    EXPECT_EQ(refusal(other, taking("host-1")), Fault::conflict);
    FleetDocument over = fleet_with_turn(1, TurnState::granted);
    over.state.rotation.reset();
    EXPECT_EQ(refusal(over, taking("host-1")), Fault::conflict);
}

TEST(TakeTurn, IsNotTakenForAUnitThatTheRecordDoesNotRestart) {
    FleetDocument document = fleet_with_turn(2, TurnState::granted);
    document.state.rotation->units[1].step = UnitStep::waiting;
    const auto taking = [](FleetDocument& late) {
        return take_turn(late, "host-2", 4, process(200), new_print);
    };
    EXPECT_EQ(refusal(document, taking), Fault::conflict);
}

TEST(TakeTurn, IsNotTakenWithAnotherTokenInTheFile) {
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::granted), taking("host-1", old_print)),
              Fault::conflict);
}

FleetTransition ending(const Result<RestartResult>& outcome) {
    return [outcome](FleetDocument& document) { return end_turn(document, "host-1", 4, outcome); };
}

TEST(EndTurn, SaysHowSystemdAnswered) {
    FleetDocument document = fleet_with_turn(1, TurnState::taken);
    RestartResult failed(JobResult::failed);
    failed.not_reset = "systemd did not answer";
    ASSERT_TRUE(twice(document, ending(failed)));
    const FleetTurn& turn = document.turns[0];
    EXPECT_EQ(turn.state, TurnState::ended);
    EXPECT_EQ(turn.result, JobResult::failed);
    EXPECT_EQ(turn.not_reset, "systemd did not answer");
    EXPECT_FALSE(turn.fault);
}

TEST(EndTurn, SaysWhyThereWasNoJob) {
    FleetDocument document = fleet_with_turn(1, TurnState::taken);
    ASSERT_TRUE(twice(document, ending(no_right)));
    EXPECT_FALSE(document.turns[0].result);
    EXPECT_EQ(document.turns[0].fault, Fault::denied);
    EXPECT_EQ(document.turns[0].why, no_right.text);
}

TEST(EndTurn, DeclinesATurnThatWasNotTaken) {
    FleetDocument document = fleet_with_turn(1, TurnState::granted);
    ASSERT_TRUE(twice(document, ending(Error{Fault::busy, "it may be old", {}})));
    EXPECT_EQ(document.turns[0].state, TurnState::ended);
    EXPECT_EQ(document.turns[0].fault, Fault::busy);
}

TEST(EndTurn, IsOnlyForATurnThatWasTakenAndKeepsTheFirstAnswer) {
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::granted), ending(no_right)), Fault::conflict);
    FleetDocument ended = fleet_with_turn(1, TurnState::ended);
    ASSERT_TRUE(twice(ended, ending(no_right)));
    EXPECT_EQ(ended.turns[0].result, JobResult::done);
    FleetDocument gone = rolling_fleet();
    EXPECT_TRUE(twice(gone, ending(no_right))) << "its host was decommissioned, say";
}

}  // namespace
}  // namespace keyturn
