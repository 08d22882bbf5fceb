#include "fleet/transitions.hpp"

#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

const Leadership lead{"host-1", rolling_epoch};
const Leadership deposed_lead{"host-1", rolling_epoch - 1};

/// Applies a transition, and once more as after an answer that was lost: the second time changes
/// nothing.
Result<void> twice(FleetDocument& document, const FleetTransition& transition) {
    const Result<void> applied = transition(document);
    const FleetDocument after = document;
    static_cast<void>(transition(document));
    EXPECT_EQ(document, after) << "the second time changes something";
    return applied;
}

/// The transition refuses and leaves everything as it is.
Fault refusal(FleetDocument document, const FleetTransition& transition) {
    const FleetDocument before = document;
    const Result<void> applied = transition(document);
    EXPECT_FALSE(applied);
    EXPECT_EQ(document, before);
    return applied ? Fault::invalid : applied.error().fault;
}

/// What a decision to restart the unit of this host saw.
TurnWish wish_for(int host, const FleetDocument& document) {
    TurnWish wish;
    wish.unit = unit_of(host);
    wish.deadline = Milliseconds(120'000);
    for (const auto& [name, member] : document.members) wish.seen.emplace_back(name, member.units);
    return wish;
}

FleetTransition granting(const TurnWish& wish, const Leadership& by = lead) {
    return [wish, by](FleetDocument& document) { return grant_turn(document, by, wish); };
}

RotationRecord other_record(RotationKind kind) {
    RotationRecord record = small_record();
    record.rotation_id = std::string(32, 'b');
    record.request.kind = kind;
    return record;
}

FleetTransition beginning(const std::string& host, const RotationRecord& record) {
    return [host, record](FleetDocument& document) {
        return begin_rotation(document, host, record, {});
    };
}

// --- Of any host that may lead -------------------------------------------------------------------

TEST(AskMembers, AsksTheNextQuestionAndNeverAnOlderOne) {
    FleetDocument document = idle_fleet();
    ASSERT_TRUE(twice(document, [](FleetDocument& asked) { return ask_members(asked, 4); }));
    EXPECT_EQ(document.ask, 4U);
    ASSERT_TRUE(twice(document, [](FleetDocument& asked) { return ask_members(asked, 3); }));
    EXPECT_EQ(document.ask, 4U);
}

TEST(BeginRotation, LeadsItUnderItsOwnRules) {
    FleetDocument document = idle_fleet();
    RolloutPolicy rules;
    rules.min_available = 2;
    ASSERT_TRUE(twice(document, [&](FleetDocument& begun) {
        return begin_rotation(begun, "host-2", small_record(), rules);
    }));
    EXPECT_EQ(document.lead, (FleetLead{"host-2", 0}));
    EXPECT_EQ(document.epoch, 7U);
    EXPECT_EQ(document.rules, rules);
    EXPECT_EQ(document.state.rotation, small_record());
}

TEST(BeginRotation, LosesAgainstAHostThatWasFaster) {
    FleetDocument document = idle_fleet();
    ASSERT_TRUE(beginning("host-2", small_record())(document));
    const RotationRecord other = other_record(RotationKind::routine);
    EXPECT_EQ(refusal(document, beginning("host-1", other)), Fault::deposed);
    EXPECT_EQ(refusal(document, beginning("host-1", small_record())), Fault::deposed);
}

TEST(BeginRotation, OfACompromiseEndsAnOpenRotationWhoeverLeadsIt) {
    FleetDocument document = fleet_with_turn(1, TurnState::granted);
    document.turns.push_back(small_turn(2, TurnState::taken));
    document.turns.back().number = 5;
    const RotationRecord compromise = other_record(RotationKind::compromise);
    ASSERT_TRUE(twice(document, beginning("host-2", compromise)));
    EXPECT_TRUE(document.led_by("host-2", rolling_epoch + 1));
    EXPECT_EQ(document.state.rotation, compromise);
    ASSERT_THAT(document.turns, SizeIs(1));
    EXPECT_EQ(document.turns[0].unit, unit_of(2)) << "its host may be restarting the unit now";
    EXPECT_EQ(refusal(document, [](FleetDocument& late) {
                  return save_record(late, lead, TunnelState());
              }),
              Fault::deposed);
}

TEST(BeginRotation, OfACompromiseDoesNotEndAnotherCompromise) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->request.kind = RotationKind::compromise;
    EXPECT_EQ(refusal(document, beginning("host-2", other_record(RotationKind::compromise))),
              Fault::deposed);
}

TEST(TakeOver, LeadsFromHereOn) {
    FleetDocument document = rolling_fleet();
    const SilentLead silent{document.epoch, document.lead};
    ASSERT_TRUE(twice(document, [&](FleetDocument& taken) {
        return take_over(taken, "host-2", silent);
    }));
    EXPECT_TRUE(document.led_by("host-2", rolling_epoch + 1));
    EXPECT_EQ(document.state.rotation, small_record()) << "it goes on from the record";
}

TEST(TakeOver, IsNotForALeadThatHasMovedOrARotationThatHasEnded) {
    FleetDocument document = rolling_fleet();
    const SilentLead silent{document.epoch, document.lead};
    const FleetTransition taking = [&](FleetDocument& taken) {
        return take_over(taken, "host-2", silent);
    };
    FleetDocument beaten = document;
    ++beaten.lead->beat;
    EXPECT_EQ(refusal(beaten, taking), Fault::conflict);
    FleetDocument taken = document;
    ASSERT_TRUE(take_over(taken, "host-3", silent));
    EXPECT_EQ(refusal(taken, taking), Fault::conflict);
    FleetDocument ended = document;
    ended.state.rotation.reset();
    EXPECT_EQ(refusal(ended, taking), Fault::conflict);
}

TEST(SaveIdleState, IsOnlyForATunnelWithoutARotation) {
    FleetDocument document = idle_fleet();
    TunnelState state;
    state.paused = WallTime(Milliseconds(1));
    const FleetTransition saving = [&](FleetDocument& saved) {
        return save_idle_state(saved, state);
    };
    ASSERT_TRUE(twice(document, saving));
    EXPECT_EQ(document.state, state);
    EXPECT_EQ(refusal(rolling_fleet(), saving), Fault::deposed);
    state.rotation = small_record();
    EXPECT_EQ(refusal(idle_fleet(), saving), Fault::deposed);
}

TEST(SetIdleDelivery, IsOnlyForATunnelWithoutARotation) {
    FleetDocument document = idle_fleet();
    const FleetTransition setting = [](FleetDocument& set) {
        return set_idle_delivery(set, new_print);
    };
    ASSERT_TRUE(twice(document, setting));
    EXPECT_EQ(document.deliver, new_print);
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::granted), setting), Fault::conflict);
}

// --- Of the lead ---------------------------------------------------------------------------------

TEST(LeadsTransitions, AreNotForAHostThatWasDeposed) {
    const FleetDocument document = fleet_with_turn(1, TurnState::granted);
    const TurnWish wish = wish_for(2, document);
    const std::vector<std::pair<const char*, FleetTransition>> all{
        {"save", [](auto& late) { return save_record(late, deposed_lead, TunnelState()); }},
        {"seal", [](auto& late) { return keep_sealed(late, deposed_lead, {}); }},
        {"deliver", [](auto& late) { return deliver(late, deposed_lead, old_print); }},
        {"grant", granting(wish, deposed_lead)},
        {"withdraw", [](auto& late) { return withdraw_turn(late, deposed_lead, 4); }},
        {"clear", [](auto& late) { return clear_turn(late, deposed_lead, 4); }},
        {"beat", [](auto& late) { return beat(late, deposed_lead); }},
        {"abdicate", [](auto& late) { return abdicate(late, deposed_lead); }},
        {"conclude", [](auto& late) { return conclude(late, deposed_lead, TunnelState(), {}); }},
    };
    for (const auto& [name, transition] : all) {
        EXPECT_EQ(refusal(document, transition), Fault::deposed) << name;
        FleetDocument headless = document;
        headless.lead.reset();
        EXPECT_EQ(refusal(headless, transition), Fault::deposed) << name;
    }
}

TEST(SaveRecord, OfAHoldWithdrawsOnlyTurnsThatNobodyHasTaken) {
    FleetDocument document = fleet_with_turn(1, TurnState::granted);
    document.turns.push_back(small_turn(2, TurnState::taken));
    document.turns.back().number = 5;
    TunnelState state = document.state;
    const FleetTransition saving = [&](FleetDocument& saved) {
        return save_record(saved, lead, state);
    };
    ASSERT_TRUE(twice(document, saving));
    EXPECT_THAT(document.turns, SizeIs(2)) << "without a hold they stay";
    state.rotation->hold = small_hold(unit_of(2));
    ASSERT_TRUE(twice(document, saving));
    EXPECT_EQ(document.state, state);
    ASSERT_THAT(document.turns, SizeIs(1));
    EXPECT_EQ(document.turns[0].state, TurnState::taken);
}

TEST(Deliver, NamesTheTokenForEveryFile) {
    FleetDocument document = rolling_fleet();
    document.deliver = old_print;
    ASSERT_TRUE(twice(document, [](FleetDocument& delivered) {
        return deliver(delivered, lead, new_print);
    }));
    EXPECT_EQ(document.deliver, new_print);
}

TEST(KeepSealed, ReplacesAndForgetsTheTokens) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(twice(document, [](FleetDocument& kept) { return keep_sealed(kept, lead, {}); }));
    EXPECT_FALSE(document.sealed);
    const auto sealed = rolling_fleet().sealed;
    ASSERT_TRUE(
        twice(document, [&](FleetDocument& kept) { return keep_sealed(kept, lead, sealed); }));
    EXPECT_EQ(document.sealed, sealed);
}

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

TEST(GrantTurn, IsNotGivenWhileAnotherUnitHasItsTurn) {
    for (const TurnState state : {TurnState::granted, TurnState::taken}) {
        const FleetDocument document = fleet_with_turn(2, state);
        EXPECT_EQ(refusal(document, granting(wish_for(1, document))), Fault::busy);
    }
    FleetDocument over = fleet_with_turn(2, TurnState::ended);
    EXPECT_TRUE(twice(over, granting(wish_for(1, over))));
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

TEST(Beat, ShowsThatTheLeadWorks) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(beat(document, lead));
    EXPECT_EQ(document.lead, (FleetLead{"host-1", 6}));
}

TEST(Abdicate, EndsTheLeadButNotTheRotation) {
    FleetDocument document = fleet_with_turn(2, TurnState::taken);
    ASSERT_TRUE(twice(document, [](FleetDocument& left) { return abdicate(left, lead); }));
    EXPECT_FALSE(document.lead);
    EXPECT_TRUE(document.state.rotation);
    EXPECT_THAT(document.turns, SizeIs(1));
}

TEST(Conclude, EndsTheRotationAndTheLead) {
    FleetDocument document = fleet_with_turn(1, TurnState::ended);
    TunnelState state = document.state;
    state.last_done = WallTime(Milliseconds(5));
    const HistoryEntry entry = sample_entry(fleet_rotation);
    ASSERT_TRUE(twice(document, [&](FleetDocument& ended) {
        return conclude(ended, lead, state, entry);
    }));
    EXPECT_FALSE(document.lead);
    EXPECT_FALSE(document.state.rotation);
    EXPECT_FALSE(document.sealed);
    EXPECT_THAT(document.turns, IsEmpty());
    EXPECT_EQ(document.state.last_done, state.last_done);
    EXPECT_EQ(document.last, entry) << "every host takes its history from here";
    EXPECT_EQ(document.deliver, new_print) << "every file has to hold it from now on";
}

TEST(Conclude, RecognizesItsOwnEffectAfterALostAnswer) {
    FleetDocument document = rolling_fleet();
    const HistoryEntry entry = sample_entry(fleet_rotation);
    const FleetTransition concluding = [&](FleetDocument& ended) {
        return conclude(ended, lead, document.state, entry);
    };
    FleetDocument ended = document;
    ASSERT_TRUE(concluding(ended));
    EXPECT_TRUE(concluding(ended)) << "nobody leads any more, because it has ended";
}

// --- Of a member, about itself -------------------------------------------------------------------

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
    EXPECT_EQ(refusal(document, [](FleetDocument& late) {
                  return report(late, "host-3", small_member(3));
              }),
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

TEST(TakeTurn, IsNotTakenWithAnotherTokenInTheFile) {
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::granted), taking("host-1", old_print)),
              Fault::conflict);
}

TEST(GiveBackTurn, LetsTheHostTakeItOnceMore) {
    FleetDocument document = fleet_with_turn(1, TurnState::taken);
    const FleetTransition giving = [](FleetDocument& given) {
        return give_back_turn(given, "host-1", 4);
    };
    ASSERT_TRUE(twice(document, giving));
    EXPECT_EQ(document.turns[0].state, TurnState::granted);
    EXPECT_EQ(document.turns[0].invocation_before, "");
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::ended), giving), Fault::conflict);
    FleetDocument gone = rolling_fleet();
    EXPECT_TRUE(twice(gone, giving)) << "there is nothing to give back";
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

TEST(EndTurn, IsOnlyForATurnThatWasTakenAndKeepsTheFirstAnswer) {
    EXPECT_EQ(refusal(fleet_with_turn(1, TurnState::granted), ending(no_right)), Fault::conflict);
    FleetDocument ended = fleet_with_turn(1, TurnState::ended);
    ASSERT_TRUE(twice(ended, ending(no_right)));
    EXPECT_EQ(ended.turns[0].result, JobResult::done);
    FleetDocument gone = rolling_fleet();
    EXPECT_TRUE(twice(gone, ending(no_right))) << "its host was decommissioned, say";
}

// --- Of a person ---------------------------------------------------------------------------------

FleetTransition ordering(OrderKind kind, const std::string& host = "host-2",
                         const RotationRequest& request = {}) {
    return [=](FleetDocument& document) { return order(document, host, kind, request); };
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
    ASSERT_TRUE(twice(document, [](FleetDocument& done) {
        return answer_order(done, 1, "nothing is held");
    }));
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
    EXPECT_EQ(refusal(document, [](FleetDocument& joined) {
                  return join(joined, "host-2", small_member(3));
              }),
              Fault::conflict);
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
    EXPECT_EQ(refusal(document, [](FleetDocument& late) {
                  return save_record(late, lead, rolling_fleet().state);
              }),
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
