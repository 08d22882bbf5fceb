#include "unit/fleet/follower_fixture.hpp"

#include <set>

namespace keyturn {
namespace {

/// The same where nothing is on the disk of host-2 yet but the old token.
class BeforeDelivery : public FollowerTest {
  protected:
    BeforeDelivery() {
        document_.state.rotation->phase = Phase::prepare;
        document_.deliver = old_print;
        own_.file = old_print;
        entry().file = old_print;
        entry().staged = "";
    }

    void commit() {
        document_.state.rotation->phase = Phase::commit;
        document_.deliver = new_print;
    }
};

// --- The token -----------------------------------------------------------------------------------

TEST_F(BeforeDelivery, StagesTheSealedTokenAndSaysSo) {
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "report"));
    EXPECT_EQ(entry().staged, fleet_rotation);
    EXPECT_EQ(entry().file, old_print);
    EXPECT_EQ(round(), quiet) << "once";
}

TEST_F(BeforeDelivery, DeliversOnceTheObjectNamesTheToken) {
    round();
    commit();
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "see", "report"));
    EXPECT_EQ(own_.file, new_print);
    EXPECT_EQ(entry().file, new_print);
    EXPECT_EQ(round(), quiet);
}

/// Only a process that the lead does not know yet may count as one that has read the new token.
TEST_F(BeforeDelivery, ReportsTheProcessesThatThereAreAfterTheDelivery) {
    round();
    commit();
    document_.ask = 4;
    before_replacing_ = [this] { restart_unit(); };
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "replace", "see", "report"));
    EXPECT_EQ(entry().units, own_.units);
    EXPECT_TRUE(document_.has_token(entry()));
}

TEST_F(BeforeDelivery, StagesFirstIfBothAreNew) {
    commit();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "replace", "see", "report"));
}

TEST_F(BeforeDelivery, StagesAgainAfterACrash) {
    round();
    begin();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage"));
}

TEST_F(BeforeDelivery, SaysWhyItCannotStageAndTriesAgain) {
    faults_.emplace("stage", disk_full);
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage fails", "report"));
    EXPECT_EQ(entry().lacks, disk_full.text) << "the lead waits for it by name";
    EXPECT_EQ(follower_->trouble().delivery, disk_full.text);
    EXPECT_EQ(entry().staged, "");
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "stage", "report"));
    EXPECT_EQ(entry().lacks, "");
    EXPECT_EQ(follower_->trouble().delivery, "");
}

TEST_F(BeforeDelivery, SaysWhyItCannotDeliverAndTriesAgain) {
    round();
    commit();
    faults_.emplace("replace", disk_full);
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace fails", "report"));
    EXPECT_EQ(entry().file, old_print);
    EXPECT_EQ(entry().lacks, disk_full.text);
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "see", "report"));
    EXPECT_EQ(entry().lacks, "");
}

TEST_F(BeforeDelivery, PutsTheOldTokenBackInARevert) {
    commit();
    round();
    document_.state.rotation->phase = Phase::revert;
    document_.deliver = old_print;
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "see", "report"));
    EXPECT_EQ(entry().file, old_print);
}

TEST_F(BeforeDelivery, DeliversWithoutARotationToo) {
    document_ = idle_fleet();
    entry().file = "";
    own_.file = "";
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "replace", "see", "report"));
    EXPECT_EQ(entry().file, old_print);
}

// --- Its place -----------------------------------------------------------------------------------

TEST_F(FollowerTest, DoesNothingOnAHostThatIsNoMember) {
    document_ = fleet_with_turn(2, TurnState::granted);
    document_.members.erase("host-2");
    own_.file = old_print;
    EXPECT_THAT(round(), ElementsAre("look"));
    EXPECT_THAT(follower_->trouble().standing, HasSubstr("does not have host-2 any more"));
    document_.members.emplace("host-2", small_member(2));
    EXPECT_THAT(round(), Contains("see"));
    EXPECT_EQ(follower_->trouble().standing, "");
}

TEST_F(FollowerTest, DoesNothingOnAHostThatWasReplaced) {
    document_ = fleet_with_turn(2, TurnState::granted);
    entry().install = std::string(32, 'c');
    EXPECT_THAT(round(), ElementsAre("look"));
    EXPECT_THAT(follower_->trouble().standing, HasSubstr("another installation is host-2 now"));
}

TEST_F(FollowerTest, DoesNothingOnAnObjectThatCannotBeRead) {
    document_ = fleet_with_turn(2, TurnState::granted);
    faults_.emplace("look", Error{Fault::denied, "the MAC does not fit", {}});
    EXPECT_THAT(round(), ElementsAre("look fails"));
    EXPECT_EQ(follower_->trouble().store, "the MAC does not fit");
    EXPECT_THAT(rested_, Gt(Milliseconds(0)));
    faults_.clear();
    round();
    EXPECT_EQ(follower_->trouble().store, "");
}

TEST_F(FollowerTest, ChangesNothingWhileItCannotSeeItsOwnUnits) {
    document_ = fleet_with_turn(2, TurnState::granted);
    faults_.emplace("inspect", no_answer);
    EXPECT_THAT(round(), ElementsAre("look", "inspect fails"));
    EXPECT_EQ(follower_->trouble().host, no_answer.text);
    EXPECT_EQ(rested_, 1s) << "it tries again soon";
}

// --- Reports -------------------------------------------------------------------------------------

TEST_F(FollowerTest, ReportsOnceForEachNews) {
    entry().units.clear();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "report"));
    EXPECT_EQ(round(), quiet);
    restart_unit();
    EXPECT_THAT(round(), ElementsAre("look", "see", "report"));
    own_.problem = "the disk is full";
    EXPECT_THAT(round(), ElementsAre("look", "see", "report"));
    EXPECT_EQ(entry().problem, "the disk is full");
    EXPECT_EQ(round(), quiet);
}

TEST_F(FollowerTest, ReportsNoConnectionMoreOrLess) {
    round();
    unit().seen.readiness->connections = 3;
    unit().seen.state.main_pid = 4712;
    EXPECT_EQ(round(), quiet);
    lose_connections();
    EXPECT_THAT(round(), ElementsAre("look", "see", "report")) << "the last one is news";
}

TEST_F(FollowerTest, AnswersAQuestionWithAFreshInspection) {
    round();
    document_.ask = 4;
    unit().setup.problem = "its token comes from another file";
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "report"));
    EXPECT_EQ(entry().answers, 4U);
    EXPECT_EQ(entry().units[0].setup.problem, "its token comes from another file");
    EXPECT_EQ(round(), quiet);
}

/// Another host asks while this one writes what it has seen before.
TEST_F(FollowerTest, AnswersAQuestionOnlyAfterALookOfItsOwn) {
    round();
    restart_unit();
    before_change_ = [this] { document_.ask = 4; };
    EXPECT_THAT(round(), ElementsAre("look", "see", "report"));
    EXPECT_EQ(entry().answers, 3U);
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "report"));
    EXPECT_EQ(entry().answers, 4U);
}

TEST_F(FollowerTest, ReportsAgainIfAReportFailed) {
    round();
    restart_unit();
    faults_.emplace("change", no_answer);
    EXPECT_THAT(round(), ElementsAre("look", "see", "change fails"));
    EXPECT_EQ(follower_->trouble().store, no_answer.text);
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "report"));
    EXPECT_EQ(follower_->trouble().store, "");
}

// --- A unit that is of no use --------------------------------------------------------------------

TEST_F(FollowerTest, RestartsAUnitThatHasLostEveryConnectionOnceAndWithoutATurn) {
    round();
    lose_connections();
    EXPECT_THAT(rounds(55s), ElementsAre("look", "see", "report"));
    EXPECT_THAT(rounds(10s), Contains("restart"));
    EXPECT_EQ(last_restart_.verb, RestartVerb::try_restart);
    EXPECT_EQ(last_restart_.deadline, 0s);
    lose_connections();
    rounds(1h);
    EXPECT_EQ(restarts_, 1) << "a process that has read the token in the file cannot gain by it";
}

TEST_F(FollowerTest, RestartsNoUnitThatComesBackByItself) {
    round();
    for (int i = 0; i < 10; ++i) {
        lose_connections();
        rounds(50s);
        unit().seen.readiness->connections = 1;
        rounds(10s);
    }
    EXPECT_EQ(restarts_, 0);
}

TEST_F(FollowerTest, RestartsNoUnitThatDoesNotRunOrSaysNothing) {
    round();
    stop(unit().seen.state);
    unit().seen.readiness.reset();
    rounds(10min);
    EXPECT_EQ(restarts_, 0) << "somebody stopped it";
    unit().seen = silent(process(200));
    unit().seen.state.name = a;
    rounds(10min);
    EXPECT_EQ(restarts_, 0) << "not knowing is not knowing that it has none";
}

TEST_F(FollowerTest, RestartsNoUselessUnitForATokenThatIsNotInTheFile) {
    faults_.emplace("replace", disk_full);
    own_.file = old_print;
    lose_connections();
    rounds(10min);
    EXPECT_EQ(restarts_, 0);
}

TEST_F(FollowerTest, RestartsAUselessUnitAgainForTheNextToken) {
    round();
    lose_connections();
    rounds(70s);
    ASSERT_EQ(restarts_, 1);
    lose_connections();
    rounds(10min);
    ASSERT_EQ(restarts_, 1);
    document_.deliver = old_print;
    rounds(70s);
    EXPECT_EQ(restarts_, 2);
}

// --- How often it looks --------------------------------------------------------------------------

Milliseconds interval_in(Phase phase, bool held = false) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->phase = phase;
    if (held) document.state.rotation->hold = small_hold();
    return look_interval(document, "host-2", FleetTimes());
}

TEST(LookInterval, FollowsThePhase) {
    EXPECT_EQ(interval_in(Phase::prepare), 1s);
    EXPECT_EQ(interval_in(Phase::commit), 1s);
    EXPECT_EQ(interval_in(Phase::revert), 1s);
    EXPECT_EQ(interval_in(Phase::roll), 2s);
    EXPECT_EQ(interval_in(Phase::finish), 2s);
    EXPECT_EQ(interval_in(Phase::soak), 10s);
    EXPECT_EQ(interval_in(Phase::roll, true), 10s);
}

TEST(LookInterval, OfIdleHostsIsSpread) {
    std::set<Milliseconds> intervals;
    for (int host = 1; host <= 20; ++host) {
        const Milliseconds interval = look_interval(idle_fleet(), sample_host(host), FleetTimes());
        EXPECT_THAT(interval, AllOf(Ge(Milliseconds(48s)), Le(Milliseconds(72s))));
        intervals.insert(interval);
    }
    EXPECT_THAT(intervals, SizeIs(Gt(5U)));
}

TEST_F(FollowerTest, RestsForTheIntervalOfTheObjectThatItSawLast) {
    round();
    EXPECT_EQ(rested_, 2s);
    document_ = idle_fleet();
    own_.file = old_print;
    round();
    EXPECT_THAT(rested_, Ge(Milliseconds(48s)));
}

}  // namespace
}  // namespace keyturn
