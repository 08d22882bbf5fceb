#include "fleet/operator_transitions.hpp"

#include "unit/fleet/transitions.hpp"

namespace keyturn {
namespace {

FleetTransition ordering(OrderKind kind, const std::string& host = "host-2",
                         const RotationRequest& request = {}) {
    const FleetOrder given = order_of(kind, host, request);
    return [=](FleetDocument& document) { return order(document, given); };
}

TEST(Order, IsKeptUntilAHostHasCarriedItOut) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(twice(document, ordering(OrderKind::retry)));
    EXPECT_TRUE(document.order.open());
    EXPECT_EQ(document.order.number, 1U);
    EXPECT_EQ(document.order.by, "host-2");
    EXPECT_EQ(refusal(document, ordering(OrderKind::pause)), Fault::busy);
    EXPECT_EQ(refusal(document, ordering(OrderKind::retry, "host-1")), Fault::busy);
    ASSERT_TRUE(twice(document, [](FleetDocument& done) { return answer_order(done, 1, ""); }));
    EXPECT_FALSE(document.order.open());
    ASSERT_TRUE(twice(document, ordering(OrderKind::pause)));
    EXPECT_EQ(document.order.number, 2U);
}

/// The answer of the store was lost, and the host sends it again after it was carried out.
TEST(Order, IsNotPlacedTwice) {
    FleetDocument document = rolling_fleet();
    const FleetTransition typed = ordering(OrderKind::pause);
    ASSERT_TRUE(typed(document));
    ASSERT_TRUE(answer_order(document, 1, ""));
    ASSERT_TRUE(typed(document));
    EXPECT_FALSE(document.order.open());
    ASSERT_TRUE(ordering(OrderKind::pause)(document));
    EXPECT_TRUE(document.order.open()) << "the same, typed once more";
}

/// What only the lead knows is lost with it.
TEST(AnswerOrder, WaitsUntilTheStateShowsWhatWasDone) {
    const FleetTransition done = [](FleetDocument& answered) {
        return answer_order(answered, 1, "");
    };
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(ordering(OrderKind::revert)(document));
    ASSERT_TRUE(twice(document, done));
    EXPECT_TRUE(document.order.open());
    document.state.rotation->reverting = "an operator asked for it";
    ASSERT_TRUE(twice(document, done));
    EXPECT_FALSE(document.order.open());

    FleetDocument held = rolling_fleet();
    held.state.rotation->hold = Hold{HoldReason::host_silent, "it says nothing", ""};
    ASSERT_TRUE(ordering(OrderKind::retry)(held));
    ASSERT_TRUE(twice(held, done));
    EXPECT_TRUE(held.order.open());
    held.state.rotation->hold.reset();
    ASSERT_TRUE(twice(held, done));
    EXPECT_FALSE(held.order.open());
}

TEST(Order, OfACompromiseWaitsForNoOther) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(twice(document, ordering(OrderKind::pause)));
    RotationRequest request;
    request.kind = RotationKind::compromise;
    ASSERT_TRUE(twice(document, ordering(OrderKind::rotate, "host-1", request)));
    EXPECT_EQ(document.order.kind, OrderKind::rotate);
    EXPECT_EQ(document.order.number, 2U);
}

TEST(AnswerOrder, KeepsTheReasonOfARefusalUntilTheNextOrder) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(twice(document, ordering(OrderKind::retry)));
    ASSERT_TRUE(twice(
        document, [](FleetDocument& done) { return answer_order(done, 1, "nothing is held"); }));
    EXPECT_EQ(document.order.refusal, "nothing is held");
    ASSERT_TRUE(twice(document, [](FleetDocument& done) { return answer_order(done, 1, ""); }));
    EXPECT_EQ(document.order.refusal, "nothing is held") << "it was answered already";
    ASSERT_TRUE(twice(document, ordering(OrderKind::retry)));
    EXPECT_EQ(document.order.refusal, "");
    ASSERT_TRUE(twice(document, [](FleetDocument& done) { return answer_order(done, 1, ""); }));
    EXPECT_TRUE(document.order.open()) << "the answer is one to another order";
}

TEST(Join, AddsAHostWhoseNameIsFree) {
    FleetDocument document = idle_fleet();
    const FleetTransition joining = [](FleetDocument& joined) {
        return join(joined, "host-3", small_member(3));
    };
    ASSERT_TRUE(twice(document, joining));
    EXPECT_EQ(document.members.at("host-3"), small_member(3));
    EXPECT_EQ(
        refusal(document,
                [](FleetDocument& joined) { return join(joined, "host-2", small_member(3)); }),
        Fault::conflict);
}

TEST(Rejoin, DoesNotTrustWhatWasProvenOfTheMachineBefore) {
    FleetDocument document = rolling_fleet();
    for (UnitProgress& unit : document.state.rotation->units) {
        unit.step = UnitStep::verified;
        unit.invocation_before = process(100);
    }
    document.state.starts = {{unit_of(1), process(101), new_print, true},
                             {unit_of(2), process(201), new_print, true}};
    FleetMember other = small_member(2);
    other.install = std::string(32, 'e');
    ASSERT_TRUE(
        twice(document, [&](FleetDocument& joined) { return rejoin(joined, "host-2", other); }));
    EXPECT_EQ(document.members.at("host-2"), other);
    const std::vector<UnitProgress>& units = document.state.rotation->units;
    EXPECT_EQ(units[0].step, UnitStep::verified) << "of another host";
    EXPECT_EQ(units[1].step, UnitStep::waiting);
    EXPECT_EQ(units[1].invocation_before, "");
    EXPECT_THAT(document.state.starts, SizeIs(1));
    EXPECT_FALSE(document.lead) << "it believes in the proof";
    EXPECT_EQ(
        refusal(document,
                [](FleetDocument& late) { return save_record(late, lead, rolling_fleet().state); }),
        Fault::deposed);
}

TEST(Decommission, TakesAHostWithItsUnitsAndItsTurnOutOfTheRotation) {
    FleetDocument document = fleet_with_turn(2, TurnState::taken);
    document.state.rotation->hold = small_hold(unit_of(2));
    document.state.starts = {{unit_of(1), process(100), old_print, true},
                             {unit_of(2), process(200), old_print, true}};
    ASSERT_TRUE(twice(document, [](FleetDocument& gone) { return decommission(gone, "host-2"); }));
    EXPECT_FALSE(document.members.contains("host-2"));
    EXPECT_THAT(document.turns, IsEmpty());
    ASSERT_TRUE(document.state.rotation);
    EXPECT_THAT(document.state.rotation->units, SizeIs(1));
    EXPECT_EQ(document.state.rotation->units[0].name, unit_of(1));
    EXPECT_FALSE(document.state.rotation->hold) << "it was about this host";
    EXPECT_THAT(document.state.starts, SizeIs(1));
}

TEST(Decommission, EndsTheLeadBecauseItsPlanHasTheHostInIt) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(twice(document, [](FleetDocument& gone) { return decommission(gone, "host-2"); }));
    EXPECT_FALSE(document.lead);
    EXPECT_EQ(
        refusal(document,
                [](FleetDocument& late) { return save_record(late, lead, rolling_fleet().state); }),
        Fault::deposed);
}

TEST(Decommission, KeepsAHoldThatIsAboutAnotherHost) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->hold = small_hold(unit_of(1));
    ASSERT_TRUE(twice(document, [](FleetDocument& gone) { return decommission(gone, "host-2"); }));
    EXPECT_TRUE(document.state.rotation->hold);
}

TEST(Decommission, OfAnIdleFleetOnlyRemovesTheHost) {
    FleetDocument document = idle_fleet();
    ASSERT_TRUE(twice(document, [](FleetDocument& gone) { return decommission(gone, "host-2"); }));
    FleetDocument expected = idle_fleet();
    expected.members.erase("host-2");
    EXPECT_EQ(document, expected);
}

}  // namespace
}  // namespace keyturn
