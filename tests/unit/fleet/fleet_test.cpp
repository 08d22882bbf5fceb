#include "fleet/fleet.hpp"

#include "fakes/fake_object.hpp"
#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <memory>

namespace keyturn {
namespace {

/// A host of a fleet that shares an object with others.
class FleetTest : public testing::Test {
  protected:
    FleetTest() {
        object_.put(rolling_fleet());
        remembered_.host = "host-2";
        remembered_.install = small_member(2).install;
        remembered_.fleet = fleet_id;
        remembered_.rev = 10;
        remembered_.mark = small_member(2).mark;
        begin();
    }

    /// As keyturnd does at its start: with what the disk has.
    void begin() {
        const auto kept = memory_.kept.find("web");
        if (kept != memory_.kept.end()) remembered_ = kept->second;
        fleet_ = std::make_unique<Fleet>("web", tunnel_id, fleet_keys(), remembered_,
                                         FleetWorld{object_, clock_, *random_, memory_});
    }

    using Outcome = std::optional<Result<FleetDocument>>;

    /// Begins a call; the clock runs on until it has ended.
    std::shared_ptr<Outcome> spawn(Task<Result<FleetDocument>> call) {
        auto outcome = std::make_shared<Outcome>();
        boost::asio::co_spawn(context_, keep(std::move(call), outcome), boost::asio::detached);
        return outcome;
    }

    static Task<> keep(Task<Result<FleetDocument>> call, std::shared_ptr<Outcome> outcome) {
        auto result = co_await std::move(call);
        outcome->emplace(std::move(result));
    }

    Result<FleetDocument> run(Task<Result<FleetDocument>> call) {
        const auto outcome = spawn(std::move(call));
        EXPECT_TRUE(clock_.run_until([&] { return outcome->has_value(); }, 5min));
        return *outcome ? std::move(**outcome) : Result<FleetDocument>(no_answer);
    }

    Result<FleetDocument> look() { return run(fleet_->look()); }
    Result<FleetDocument> change(const FleetTransition& transition, bool own = false) {
        return run(fleet_->change(transition, own));
    }
    Fault look_fault() {
        const Result<FleetDocument> seen = look();
        EXPECT_FALSE(seen);
        return seen ? Fault::cancelled : seen.error().fault;
    }

    /// What this host says about itself.
    Result<FleetDocument> report(std::uint64_t answers) {
        return change(
            [=](FleetDocument& document) {
                FleetMember member = document.members.at("host-2");
                member.answers = answers;
                return keyturn::report(document, "host-2", member);
            },
            true);
    }

    [[nodiscard]] std::uint64_t answers() const {
        return object_.document().members.at("host-2").answers;
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    FakeObject object_{clock_};
    FakeFleetMemory memory_;
    std::unique_ptr<Random> random_ = make_random();
    FleetMemories remembered_;
    std::unique_ptr<Fleet> fleet_;
};

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
    EXPECT_THAT(seen.error().text, HasSubstr("keyturnctl fleet accept --rev 19"));
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
        object_.change(
            [](FleetDocument& document) { return take_over(document, "host-3", {7, document.lead}); });
    };
    const Result<FleetDocument> changed =
        change([](FleetDocument& document) { return beat(document, {"host-1", 7}); });
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

// --- Marks ---------------------------------------------------------------------------------------

TEST_F(FleetTest, EachReportHasAMarkThatTheDiskKnewBefore) {
    ASSERT_TRUE(report(4));
    const std::string mark = object_.document().members.at("host-2").mark;
    EXPECT_NE(mark, small_member(2).mark);
    EXPECT_EQ(memory_.kept.at("web").mark, mark);
    EXPECT_EQ(memory_.kept.at("web").mark_pending, "");
    EXPECT_FALSE(fleet_->clashes());
}

TEST_F(FleetTest, AReportIsNotWrittenIfTheDiskCannotKeepItsMark) {
    ASSERT_TRUE(look());
    memory_.broken = disk_full;
    const Result<FleetDocument> reported = report(4);
    ASSERT_FALSE(reported);
    EXPECT_EQ(reported.error().fault, Fault::storage);
    EXPECT_EQ(object_.swaps, 0);
}

TEST_F(FleetTest, AReportWhoseAnswerWasLostBeforeACrashIsNoClash) {
    object_.fates = {SwapFate::done_but_lost};
    object_.before_swap = [this] { object_.down = no_answer; };
    ASSERT_FALSE(report(4));
    EXPECT_NE(memory_.kept.at("web").mark_pending, "");
    object_.down.reset();
    begin();
    ASSERT_TRUE(look());
    EXPECT_EQ(answers(), 4U);
    EXPECT_FALSE(fleet_->clashes());
    EXPECT_EQ(memory_.kept.at("web").mark_pending, "");
    EXPECT_EQ(memory_.kept.at("web").mark, object_.document().members.at("host-2").mark);
}

TEST_F(FleetTest, AReportThatMayStillArriveKeepsItsMarkForTheNextOne) {
    ASSERT_TRUE(look());
    object_.fates = {SwapFate::late};
    object_.before_swap = [this] {
        object_.before_swap = [this] { object_.land(); };
    };
    ASSERT_TRUE(report(4));
    EXPECT_FALSE(fleet_->clashes()) << "the late one has the mark of the newer one";
    ASSERT_TRUE(report(5));
    EXPECT_EQ(answers(), 5U);
    EXPECT_FALSE(fleet_->clashes());
}

TEST_F(FleetTest, AnEntryThatThisHostHasNotWrittenIsAClash) {
    ASSERT_TRUE(report(4));
    EXPECT_FALSE(fleet_->clashes());
    object_.change([](FleetDocument& document) {
        document.members.at("host-2").mark = std::string(16, 'c');
        return Result<void>();
    });
    ASSERT_TRUE(look());
    EXPECT_TRUE(fleet_->clashes());
}

TEST_F(FleetTest, ADiskThatIsAnOldCopyIsAClash) {
    ASSERT_TRUE(report(4));
    memory_.kept.clear();
    begin();
    ASSERT_TRUE(look());
    EXPECT_TRUE(fleet_->clashes());
}

TEST_F(FleetTest, AnotherInstallationWithThisNameIsNoClash) {
    object_.change([](FleetDocument& document) {
        document.members.at("host-2").install = std::string(32, 'c');
        document.members.at("host-2").mark = std::string(16, 'c');
        return Result<void>();
    });
    ASSERT_TRUE(look());
    EXPECT_FALSE(fleet_->clashes()) << "this host was replaced: its follower says so";
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
