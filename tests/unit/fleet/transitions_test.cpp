#include "unit/fleet/transitions.hpp"

#include "fleet/document_json.hpp"

namespace keyturn {
namespace {

RotationRecord other_record(RotationKind kind) {
    RotationRecord record = small_record();
    record.rotation_id = std::string(32, 'b');
    record.request.kind = kind;
    return record;
}

TunnelState with_rotation(const RotationRecord& record) {
    TunnelState state;
    state.rotation = record;
    return state;
}

FleetTransition beginning(const std::string& host, const RotationRecord& record) {
    return [host, record](FleetDocument& document) {
        return begin_rotation(document, host, with_rotation(record), {});
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
        return begin_rotation(begun, "host-2", with_rotation(small_record()), rules);
    }));
    EXPECT_EQ(document.lead, (FleetLead{"host-2", 0}));
    EXPECT_EQ(document.epoch, 7U);
    EXPECT_EQ(document.rules, rules);
    EXPECT_EQ(document.state.rotation, small_record());
}

TEST(BeginRotation, LosesAgainstAPauseThatItsHostHasNotSeen) {
    FleetDocument paused = idle_fleet();
    paused.state.paused = WallTime(Milliseconds(1));
    EXPECT_EQ(refusal(paused, beginning("host-2", small_record())), Fault::deposed);
    const RotationRecord compromise = other_record(RotationKind::compromise);
    EXPECT_TRUE(beginning("host-2", compromise)(paused)) << "which nothing stops";
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
    EXPECT_EQ(refusal(document,
                      [](FleetDocument& late) { return save_record(late, lead, TunnelState()); }),
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
    ASSERT_TRUE(
        twice(document, [&](FleetDocument& taken) { return take_over(taken, "host-2", silent); }));
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
        return save_idle_state(saved, idle_fleet().state, state);
    };
    ASSERT_TRUE(twice(document, saving));
    EXPECT_EQ(document.state, state);
    EXPECT_EQ(refusal(rolling_fleet(), saving), Fault::deposed);
    FleetDocument other = idle_fleet();
    other.state.paused = WallTime(Milliseconds(2));
    EXPECT_EQ(refusal(other, saving), Fault::deposed) << "another host was faster";
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

TEST(HandOut, IsOnlyForATunnelWithoutARotation) {
    FleetDocument document = idle_fleet();
    const FleetTransition handing = [](FleetDocument& handed) {
        return hand_out(handed, rolling_fleet().sealed);
    };
    ASSERT_TRUE(twice(document, handing));
    EXPECT_EQ(document.sealed, rolling_fleet().sealed);
    FleetDocument rolling = rolling_fleet();
    rolling.sealed.reset();
    EXPECT_EQ(refusal(rolling, handing), Fault::conflict);
    ASSERT_TRUE(twice(document, [](FleetDocument& handed) { return hand_out(handed, {}); }));
    EXPECT_FALSE(document.sealed) << "every member has it";
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

/// It has come after the lead has looked.
TEST(SaveRecord, OfTheCommitWaitsForAHostWithoutTheToken) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->phase = Phase::prepare;
    TunnelState state = document.state;
    state.rotation->phase = Phase::commit;
    const FleetTransition saving = [&](FleetDocument& saved) {
        return save_record(saved, lead, state);
    };
    document.members.at("host-2").staged.clear();
    EXPECT_EQ(refusal(document, saving), Fault::busy);
    document.members.at("host-2").staged = document.sealed->rotation_id;
    ASSERT_TRUE(twice(document, saving));
    EXPECT_EQ(document.state, state);
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
    ASSERT_TRUE(twice(
        document, [](FleetDocument& delivered) { return deliver(delivered, lead, new_print); }));
    EXPECT_EQ(document.deliver, new_print);
}

/// What it says may be from before, even if its file already holds that token again.
TEST(Deliver, LetsNoHostCountThatHasNotLookedSince) {
    FleetDocument document = rolling_fleet();
    ASSERT_TRUE(document.has_token(document.members.at("host-2")));
    ASSERT_TRUE(deliver(document, lead, old_print));
    ASSERT_TRUE(deliver(document, lead, new_print));
    EXPECT_FALSE(document.has_token(document.members.at("host-2")));
    EXPECT_EQ(refusal(document, granting(wish_for(2, document))), Fault::busy);
    document.members.at("host-2").answers = document.ask;
    EXPECT_TRUE(document.has_token(document.members.at("host-2")));
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
    HistoryEntry entry = sample_entry(fleet_rotation);
    ASSERT_FALSE(entry.units.empty());
    ASSERT_TRUE(
        twice(document, [&](FleetDocument& ended) { return conclude(ended, lead, state, entry); }));
    EXPECT_FALSE(document.lead);
    EXPECT_FALSE(document.state.rotation);
    EXPECT_FALSE(document.sealed);
    EXPECT_THAT(document.turns, IsEmpty());
    EXPECT_EQ(document.state.last_done, state.last_done);
    entry.units.clear();
    EXPECT_EQ(document.last, entry) << "every host takes its history from here";
    EXPECT_EQ(document.deliver, new_print) << "every file has to hold it from now on";
}

TEST(Conclude, RecognizesItsOwnEffectAfterALostAnswer) {
    FleetDocument document = rolling_fleet();
    HistoryEntry entry = sample_entry(fleet_rotation);
    entry.text = std::string(2000, 'x');  // The object shortens it.
    const FleetTransition concluding = [&](FleetDocument& ended) {
        return conclude(ended, lead, document.state, entry);
    };
    FleetDocument ended = document;
    ASSERT_TRUE(concluding(ended));
    ended = decode_fleet_document(encode_fleet_document(ended)).value();
    EXPECT_TRUE(concluding(ended)) << "nobody leads any more, because it has ended";
    entry.ended += Milliseconds(1);
    EXPECT_EQ(refusal(ended, concluding), Fault::deposed) << "another one has ended";
}

}  // namespace
}  // namespace keyturn
