#include "unit/fleet/fleet_fixture.hpp"

namespace keyturn {
namespace {

/// A change that is seen in the object and may be applied any number of times.
Result<void> ask_five(FleetDocument& document) {
    return ask_members(document, 5);
}

// --- To look -------------------------------------------------------------------------------------

TEST_F(FleetTest, ALookReadsTheObject) {
    const Result<FleetDocument> seen = look();
    ASSERT_TRUE(seen) << seen.error().text;
    EXPECT_EQ(*seen, rolling_fleet());
    EXPECT_EQ(fleet_->seen(), *seen);
    EXPECT_EQ(fleet_->seen_at(), clock_.boot_now());
}

TEST_F(FleetTest, ALookAtTheSameContentTransfersNothingAndIsGood) {
    ASSERT_TRUE(look());
    clock_.suspend(1min);
    const std::string text = *object_.text;
    object_.text = "not looked at";
    EXPECT_TRUE(look()) << "the version is the same";
    EXPECT_EQ(fleet_->seen_at(), clock_.boot_now());
}

TEST_F(FleetTest, AnAbsentObjectIsMissingAndNobodyCreatesIt) {
    object_.remove();
    EXPECT_EQ(look_fault(), Fault::missing);
    const Result<FleetDocument> changed = change(ask_five);
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().fault, Fault::missing);
    EXPECT_EQ(object_.swaps, 0);
}

TEST_F(FleetTest, AnObjectThatIsNotOfThisFleetIsNoObject) {
    FleetDocument other = rolling_fleet();
    other.fleet = std::string(32, 'c');
    object_.put(other);
    EXPECT_EQ(look_fault(), Fault::invalid);
    other = rolling_fleet();
    other.tunnel = other_tunnel_id;
    object_.put(other);
    EXPECT_EQ(look_fault(), Fault::denied) << "its MAC is one of another tunnel";
}

TEST_F(FleetTest, AForgedObjectIsDenied) {
    const std::string good = *object_.text;
    std::string forged = good;
    forged.replace(forged.find("\"rev\":10"), 8, "\"rev\":99");
    object_.put(forged);
    EXPECT_EQ(look_fault(), Fault::denied);
    object_.put(std::string("garbage"));
    EXPECT_EQ(look_fault(), Fault::invalid);
    EXPECT_FALSE(fleet_->seen());
    object_.put(good);
    EXPECT_TRUE(look());
}

TEST_F(FleetTest, AnObjectThatWentBackIsRefusedAlsoAfterARestart) {
    FleetDocument document = rolling_fleet();
    document.rev = 20;
    object_.put(document);
    ASSERT_TRUE(look());
    document.rev = 19;
    object_.put(document);
    const Result<FleetDocument> seen = look();
    ASSERT_FALSE(seen);
    EXPECT_EQ(seen.error().fault, Fault::invalid);
    EXPECT_THAT(seen.error().text, HasSubstr("keyturnctl fleet accept web --rev 19"));
    begin();
    EXPECT_EQ(look_fault(), Fault::invalid) << "the rev is on the disk";
}

TEST_F(FleetTest, AStoreThatIsDownIsThatFault) {
    object_.down = no_answer;
    EXPECT_EQ(look_fault(), Fault::unreachable);
    object_.down.reset();
    EXPECT_TRUE(look());
}

// --- To change -----------------------------------------------------------------------------------

TEST_F(FleetTest, AChangeIsTheNextRevOfThisWriter) {
    const Result<FleetDocument> changed = change(ask_five);
    ASSERT_TRUE(changed) << changed.error().text;
    const FleetDocument document = object_.document();
    EXPECT_EQ(*changed, document);
    EXPECT_EQ(document.ask, 5U);
    EXPECT_EQ(document.rev, 11U);
    EXPECT_EQ(document.writer, "host-2");
    EXPECT_NE(document.nonce, rolling_fleet().nonce);
    EXPECT_EQ(document.members, rolling_fleet().members) << "it is not about this host: no mark";
    EXPECT_EQ(object_.swaps, 1);
}

TEST_F(FleetTest, AChangeThatChangesNothingWritesNothing) {
    ASSERT_TRUE(change(ask_five));
    ASSERT_TRUE(change(ask_five));
    EXPECT_TRUE(change([](FleetDocument&) { return Result<void>(); }, true));
    EXPECT_EQ(object_.swaps, 1);
    EXPECT_EQ(object_.document().rev, 11U);
}

TEST_F(FleetTest, ARefusalIsThatOfTheNewestContent) {
    ASSERT_TRUE(look());
    object_.change([](FleetDocument& document) { return ask_members(document, 4); });
    const FleetTransition only_after_four = [](FleetDocument& document) -> Result<void> {
        if (document.ask < 4) return Error{Fault::conflict, "too early", {}};
        return ask_members(document, 5);
    };
    EXPECT_TRUE(change(only_after_four)) << "what was seen first is old by now";
    EXPECT_EQ(object_.document().ask, 5U);
}

TEST_F(FleetTest, AConflictRunsTheTransitionOnWhatOthersHaveWritten) {
    ASSERT_TRUE(look());
    object_.before_swap = [this] {
        object_.change([](FleetDocument& document) { return beat(document, {"host-1", 7}); });
    };
    ASSERT_TRUE(change(ask_five));
    const FleetDocument document = object_.document();
    EXPECT_EQ(document.ask, 5U);
    EXPECT_EQ(document.lead->beat, 6U) << "nothing of the others is lost";
    EXPECT_EQ(document.rev, 12U);
    EXPECT_EQ(object_.swaps, 2);
}

TEST_F(FleetTest, AConflictWithATransitionThatMayNotHappenAnyMoreIsItsRefusal) {
    ASSERT_TRUE(look());
    object_.before_swap = [this] {
        object_.change([](FleetDocument& document) {
            return take_over(document, "host-3", {7, document.lead});
        });
    };
    const Result<FleetDocument> changed = change([](FleetDocument& document) {
        return beat(document, {"host-1", 7});
    });
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().fault, Fault::deposed);
    EXPECT_EQ(object_.swaps, 1);
}

TEST_F(FleetTest, HostsThatAreAlwaysFasterEndInBusy) {
    std::function<void()> again = [&] {
        object_.before_swap = again;
        object_.change([](FleetDocument& document) { return beat(document, {"host-1", 7}); });
    };
    object_.before_swap = again;
    const Result<FleetDocument> changed = change(ask_five);
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().fault, Fault::busy);
    EXPECT_EQ(object_.swaps, 10);
    EXPECT_EQ(object_.document().ask, 3U);
}

TEST_F(FleetTest, AStoreThatSaysLaterIsAskedLater) {
    object_.fates = {SwapFate::busy};
    const BootTime before = clock_.boot_now();
    ASSERT_TRUE(change(ask_five));
    EXPECT_THAT(clock_.boot_now() - before, Ge(Milliseconds(3s)));
    EXPECT_EQ(object_.document().rev, 11U);
}

TEST_F(FleetTest, AWriteThatWasNotSentIsThatFault) {
    object_.fates = {SwapFate::unreachable};
    const Result<FleetDocument> changed = change(ask_five);
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().fault, Fault::unreachable);
    EXPECT_EQ(object_.document().rev, 10U);
    EXPECT_TRUE(change(ask_five));
}

// --- Answers that were lost ----------------------------------------------------------------------

/// A beat: each one changes the object, so a change that happens twice is seen.
Result<void> beat_once(FleetDocument& document) {
    return beat(document, {"host-1", rolling_epoch});
}

TEST_F(FleetTest, ALostAnswerOfAWriteThatHappenedIsRecognizedByItsNonce) {
    object_.fates = {SwapFate::done_but_lost};
    ASSERT_TRUE(change(beat_once));
    EXPECT_EQ(object_.document().lead->beat, 6U);
    EXPECT_EQ(object_.document().rev, 11U);
    EXPECT_EQ(object_.swaps, 1);
}

TEST_F(FleetTest, ALostAnswerOfAWriteThatDidNotHappenIsWrittenAgain) {
    object_.fates = {SwapFate::lost};
    ASSERT_TRUE(change(beat_once));
    EXPECT_EQ(object_.document().lead->beat, 6U);
    EXPECT_EQ(object_.swaps, 2);
}

TEST_F(FleetTest, AWriteThatIsLateMeetsTheNextAttempt) {
    ASSERT_TRUE(look());
    object_.fates = {SwapFate::late, SwapFate::done};
    ASSERT_TRUE(change(ask_five));
    const FleetDocument before = object_.document();
    object_.land();
    EXPECT_EQ(object_.document(), before) << "its version is gone";
}

TEST_F(FleetTest, AWriteThatArrivesBetweenTwoAttemptsIsRecognizedByItsContent) {
    object_.fates = {SwapFate::late};
    object_.before_swap = [this] {
        // The next attempt finds that the first one has just happened.
        object_.before_swap = [this] { object_.land(); };
    };
    ASSERT_TRUE(change(ask_five));
    EXPECT_EQ(object_.document().ask, 5U);
    EXPECT_EQ(object_.document().rev, 11U) << "the same change is not written a second time";
}

TEST_F(FleetTest, AWriteThatHappenedAndIsCalledAConflictIsRecognizedByItsContent) {
    object_.fates = {SwapFate::done_but_conflict};
    ASSERT_TRUE(change(ask_five));
    EXPECT_EQ(object_.document().rev, 11U);
    EXPECT_EQ(object_.swaps, 1);
}

TEST_F(FleetTest, AStoreThatGoesDownAfterALostAnswerLeavesItOpen) {
    object_.fates = {SwapFate::done_but_lost};
    object_.before_swap = [this] { object_.down = no_answer; };
    const Result<FleetDocument> changed = change(ask_five);
    ASSERT_FALSE(changed);
    EXPECT_THAT(changed.error().text, HasSubstr("it is unknown whether a change happened"));
    object_.down.reset();
    ASSERT_TRUE(change(ask_five)) << "the next call finds out";
    EXPECT_EQ(object_.document().rev, 11U);
    EXPECT_EQ(object_.swaps, 1);
}

// --- One at a time -------------------------------------------------------------------------------

TEST_F(FleetTest, CallsWaitForEachOther) {
    object_.fates = {SwapFate::busy};
    const auto first = spawn(fleet_->change(beat_once, false));
    const auto second = spawn(fleet_->change(beat_once, false));
    const auto third = spawn(fleet_->look());
    clock_.run_until([&] { return third->has_value(); }, 1min);
    ASSERT_TRUE(first->has_value() && second->has_value() && third->has_value());
    EXPECT_EQ((**first)->rev, 11U);
    EXPECT_EQ((**second)->rev, 12U);
    EXPECT_EQ((**third)->rev, 12U);
    EXPECT_EQ(object_.swaps, 3) << "nobody met a conflict";
}

}  // namespace
}  // namespace keyturn
