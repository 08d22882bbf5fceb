#include "unit/fleet/follower_fixture.hpp"

namespace keyturn {
namespace {

/// host-2 has everything, and its unit has a turn.
class WithTurn : public FollowerTest {
  protected:
    WithTurn() {
        round();
        give_turn(document_, 2, TurnState::granted);
    }

    /// The lead has seen how the turn ended, and grants the next one.
    void grant_another() {
        const std::uint64_t number = turn().number + 1;
        give_turn(document_, 2, TurnState::granted);
        turn().number = document_.turns_granted = number;
    }

    void expect_declined() {
        EXPECT_EQ(turn().state, TurnState::ended);
        EXPECT_EQ(turn().fault, Fault::busy) << turn().why;
        EXPECT_EQ(restarts_, 0);
        EXPECT_EQ(round(), quiet) << "once";
        grant_another();
        EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart", "see", "end"));
    }
};

TEST_F(WithTurn, TakesItRestartsAndReportsInTwoChanges) {
    turn().verb = RestartVerb::restart;
    const BootTime taken = now_;
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart", "see", "end"));
    EXPECT_EQ(turn().state, TurnState::ended);
    EXPECT_EQ(turn().invocation_before, process(200));
    EXPECT_EQ(turn().result, JobResult::done);
    EXPECT_EQ(entry().units, own_.units) << "the lead sees the new process with the result";
    EXPECT_EQ(last_restart_.unit, a);
    EXPECT_EQ(last_restart_.verb, RestartVerb::restart);
    EXPECT_EQ(last_restart_.deadline, 120s);
    EXPECT_EQ(last_restart_.not_after, taken + FleetTimes().take_age);
    EXPECT_EQ(round(), quiet) << "once";
}

TEST_F(WithTurn, DeliversBeforeItTakesIt) {
    own_.file = old_print;
    entry().file = old_print;
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "see", "report", "take", "restart",
                                     "see", "end"));
}

TEST_F(WithTurn, DoesNotTakeItWithAnotherTokenInTheFile) {
    own_.file = old_print;
    entry().file = old_print;
    faults_.emplace("replace", disk_full);
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace fails", "report"));
    EXPECT_EQ(turn().state, TurnState::granted);
}

TEST_F(WithTurn, DoesNotRestartWhileTheRotationIsHeld) {
    document_.state.rotation->hold = small_hold();
    EXPECT_THAT(round(), ElementsAre("look", "see", "refused"));
    EXPECT_EQ(follower_->trouble(), FollowerTrouble()) << "the hold is told by the lead";
}

TEST_F(WithTurn, DoesNotRestartIfItWasWithdrawnMeanwhile) {
    before_change_ = [this] { document_.turns.clear(); };
    EXPECT_THAT(round(), ElementsAre("look", "see", "refused"));
    EXPECT_EQ(follower_->trouble(), FollowerTrouble());
    EXPECT_EQ(restarts_, 0);
}

TEST_F(WithTurn, DoesNotRestartIfNobodyKnowsWhetherItTookIt) {
    faults_.emplace("change", answer_lost);
    EXPECT_THAT(round(), ElementsAre("look", "see", "change fails"));
    EXPECT_EQ(follower_->trouble().store, answer_lost.text);
    EXPECT_EQ(restarts_, 0);
}

TEST_F(WithTurn, DeclinesATurnThatWasGrantedBeforeItWasStarted) {
    begin();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "see", "end"));
    expect_declined();
}

TEST_F(WithTurn, DeclinesATurnThatMayBeAsOldAsItsLastLook) {
    faults_.emplace("look", no_answer);
    now_ += FleetTimes().take;
    round();
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "see", "end"));
    expect_declined();
}

TEST_F(WithTurn, DeclinesATurnThatItCouldNotTakeForTooLong) {
    own_.file = old_print;
    entry().file = old_print;
    faults_.emplace("replace", disk_full);
    rounds(FleetTimes().take + 5s);
    EXPECT_EQ(turn().state, TurnState::ended) << "the lead looks at the token meanwhile";
    faults_.clear();
    EXPECT_THAT(round(), Contains("replace"));
    expect_declined();
}

/// The lead has taken it that a restart costs nothing.
TEST_F(WithTurn, DeclinesATurnOfAUnitThatServesAgain) {
    entry().units[0].seen.readiness->connections = 0;
    EXPECT_THAT(round(), ElementsAre("look", "see", "see", "end"));
    EXPECT_THAT(turn().why, HasSubstr("serves again"));
    expect_declined();
}

/// Its unit cannot reconnect, so a restart takes nothing down.
TEST_F(WithTurn, TakesAHurriedTurnHoweverOld) {
    turn().hurried = true;
    begin();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "take", "restart", "see", "end"));
}

TEST_F(WithTurn, LeavesTheTurnsOfOthersAlone) {
    turn() = small_turn(1, TurnState::granted);
    EXPECT_EQ(round(), quiet);
    turn() = small_turn(1, TurnState::taken);
    EXPECT_EQ(round(), quiet);
    turn() = small_turn(2, TurnState::granted);
    turn().unit = fleet_unit("host-2", b);
    EXPECT_EQ(round(), quiet) << "it does not have this unit";
}

TEST_F(WithTurn, TakesNoneWhileThereIsASecondHostWithItsName) {
    follower_->note_clash("there is a second host-2");
    EXPECT_EQ(round(), quiet);
    turn().state = TurnState::taken;
    turn().invocation_before = process(200);
    EXPECT_EQ(round(), quiet);
    EXPECT_EQ(follower_->trouble().standing, "there is a second host-2");
    own_.file = old_print;
    EXPECT_THAT(round(), Contains("replace")) << "Cloudflare's token is right in any file";
}

TEST_F(WithTurn, DoesNotUseItAfterACrash) {
    die_before("restart");
    EXPECT_EQ(turn().state, TurnState::taken);
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "see", "end"));
    expect_declined();
}

TEST_F(WithTurn, EndsItAfterACrashIfTheRestartHasHappened) {
    die_before("restart");
    restart_unit();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "see", "end"));
    EXPECT_EQ(restarts_, 0) << "not a second time";
    EXPECT_EQ(turn().result, JobResult::done);
    EXPECT_EQ(entry().units, own_.units);
}

TEST_F(WithTurn, WaitsAfterACrashForAJobThatIsStillUnderWay) {
    die_before("restart");
    unit().seen.state.job_pending = true;
    EXPECT_THAT(round(), Not(Contains("restart")));
    EXPECT_EQ(turn().state, TurnState::taken);
    restart_unit();
    EXPECT_THAT(round(), ElementsAre("look", "see", "see", "end"));
}

TEST_F(WithTurn, EndsItUnusedWhenItIsTooLate) {
    faults_.emplace("restart", Error{Fault::busy, "keyturnd was stopped for a while", {}});
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart fails", "see", "end"));
    faults_.clear();
    expect_declined();
}

TEST_F(WithTurn, PassesOnWhatSystemdRefused) {
    faults_.emplace("restart", no_right);
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart fails", "see", "end"));
    EXPECT_EQ(turn().fault, Fault::denied);
    EXPECT_EQ(turn().why, no_right.text);
}

/// A lead that knew the result with the process of before would restart the unit again.
TEST_F(WithTurn, TellsTheEndOnlyTogetherWithWhatTheUnitIsSince) {
    before_change_ = [this] { faults_.emplace("see", no_answer); };
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart", "see fails"));
    EXPECT_THAT(rounds(1min), Not(Contains("restart")));
    EXPECT_EQ(turn().state, TurnState::taken);
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "see", "end"));
    EXPECT_EQ(turn().result, JobResult::done);
    EXPECT_EQ(entry().units, own_.units);
    EXPECT_EQ(restarts_, 1);
}

TEST_F(WithTurn, TellsLaterWhatSystemdRefused) {
    faults_.emplace("restart", no_right);
    before_change_ = [this] { faults_.emplace("see", no_answer); };
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart fails", "see fails"));
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "see", "end"));
    EXPECT_EQ(turn().why, no_right.text);
}

TEST_F(WithTurn, TellsTheEndLaterIfTheStoreIsDown) {
    round();
    turn().state = TurnState::taken;
    faults_.emplace("change", no_answer);
    EXPECT_THAT(rounds(1min), Not(Contains("restart"))) << "the process is another by now";
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "see", "end"));
    EXPECT_EQ(restarts_, 1);
}

}  // namespace
}  // namespace keyturn
