#include "fleet/follower.hpp"

#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <type_traits>

namespace keyturn {
namespace {

/// What became of a change: the words of `FollowerTest::round`.
std::string word_for(const FleetDocument& before, const FleetDocument& after,
                     const std::string& host) {
    const auto state_in = [](const FleetDocument& document) {
        return document.turns.empty() ? TurnState::granted : document.turns[0].state;
    };
    if (state_in(before) != state_in(after)) {
        if (state_in(after) == TurnState::taken) return "take";
        return state_in(after) == TurnState::ended ? "end" : "give back";
    }
    return before.members.at(host) == after.members.at(host) ? "change nothing" : "report";
}

/// host-2 in a fleet that host-1 leads. Everything that its follower asks for is done, and kept as
/// a word; a test says what fails.
class FollowerTest : public testing::Test {
  protected:
    FollowerTest() {
        own_.file = new_print;
        own_.units = {small_unit(2)};
        self_.entry = small_member(2);
        self_.entry.units.clear();
        begin();
    }

    /// As after a start, or a crash, of keyturnd.
    void begin() { follower_ = std::make_unique<Follower>(self_, FleetTimes(), now_); }

    /// One round: what it asks for until it rests. Then the rest is over.
    std::vector<std::string> round() {
        std::vector<std::string> words;
        while (words.empty() || words.back() != "rest") {
            words.push_back(
                std::visit([this](auto asked) { return perform(asked); }, follower_->action()));
        }
        words.pop_back();
        return words;
    }

    /// Rounds until this much time has passed; all their words but those of a round without news.
    std::vector<std::string> rounds(Milliseconds time) {
        std::vector<std::string> words;
        const BootTime end = now_ + time;
        while (now_ < end) {
            const std::vector<std::string> more = round();
            if (more != quiet) words.insert(words.end(), more.begin(), more.end());
        }
        return words;
    }

    /// The next action is done, and the follower dies with the one after it.
    void die_before(const std::string& word) {
        for (int i = 0; i < 20; ++i) {
            if (std::visit([this](const auto& asked) { return name(asked); },
                           follower_->action()) == word) {
                begin();
                return;
            }
            std::visit([this](auto asked) { return perform(asked); }, follower_->action());
        }
        ADD_FAILURE() << "it never asked for: " << word;
    }

    MemberUnit& unit() { return own_.units[0]; }
    FleetTurn& turn() { return document_.turns.at(0); }
    FleetMember& entry() { return document_.members.at("host-2"); }

    /// systemd, or a person, has started the unit again: it has another process.
    void restart_unit() {
        unit().seen = serving(process(++processes_), "connector-new", a);
    }

    void lose_connections() { unit().seen.readiness->connections = 0; }

    static std::string name(const LookAtObject&) { return "look"; }
    static std::string name(const ChangeObject&) { return "change"; }
    static std::string name(const SeeOwnHost& wish) { return wish.inspect ? "inspect" : "see"; }
    static std::string name(const StageToken&) { return "stage"; }
    static std::string name(const ReplaceToken&) { return "replace"; }
    static std::string name(const RestartOwnUnit&) { return "restart"; }
    static std::string name(const RestAWhile&) { return "rest"; }

    /// Does it and returns a word for it.
    template <class Asked>
    std::string perform(const Asked& wish) {
        std::string word = name(wish);
        const auto fault = faults_.find(word);
        using Answer = FollowerAnswered<Asked>;
        if (fault != faults_.end()) {
            const Error error = fault->second;
            if constexpr (!std::is_same_v<Asked, RestAWhile>) {
                follower_->answer(Answer{error}, now_);
            }
            return word + " fails";
        }
        auto result = act(wish, word);
        follower_->answer(Answer{std::move(result)}, now_);
        return word;
    }

    Result<FleetDocument> act(const LookAtObject&, std::string&) { return document_; }

    Result<FleetDocument> act(const ChangeObject& wish, std::string& word) {
        const auto others = std::exchange(before_change_, {});
        if (others) others();
        FleetDocument changed = document_;
        const Result<void> applied = wish.transition(changed);
        word = applied ? word_for(document_, changed, "host-2") : "refused";
        if (!applied) return applied.error();
        document_ = changed;
        return document_;
    }

    Result<SeeOwnHost::Value> act(const SeeOwnHost&, std::string&) { return own_; }

    Result<void> act(const StageToken& wish, std::string&) {
        EXPECT_EQ(wish.rotation_id, fleet_rotation);
        return {};
    }

    Result<void> act(const ReplaceToken& wish, std::string&) {
        own_.file = wish.token;
        return {};
    }

    Result<RestartResult> act(const RestartOwnUnit& wish, std::string&) {
        last_restart_ = wish;
        now_ += 5s;
        restart_unit();
        ++restarts_;
        return RestartResult(JobResult::done);
    }

    Result<void> act(const RestAWhile& wish, std::string&) {
        rested_ = wish.until - now_;
        now_ = std::max(now_, wish.until);
        return {};
    }

    inline static const std::vector<std::string> quiet{"look", "see"};

    FleetDocument document_ = rolling_fleet();
    SeeOwnHost::Value own_;
    FleetSelf self_{"host-2", {}};
    BootTime now_{1h};
    std::map<std::string, Error> faults_;  ///< By word; they last.
    std::function<void()> before_change_;  ///< Once: others are faster.
    RestartOwnUnit last_restart_;
    int restarts_ = 0;
    int processes_ = 900;
    Milliseconds rested_{0};
    std::unique_ptr<Follower> follower_;
};

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
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "report"));
    EXPECT_EQ(own_.file, new_print);
    EXPECT_EQ(entry().file, new_print);
    EXPECT_EQ(round(), quiet);
}

TEST_F(BeforeDelivery, StagesFirstIfBothAreNew) {
    commit();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "replace", "report"));
}

TEST_F(BeforeDelivery, StagesAgainAfterACrash) {
    round();
    begin();
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage"));
}

TEST_F(BeforeDelivery, SaysWhyItCannotStageAndTriesAgain) {
    faults_.emplace("stage", disk_full);
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage fails", "report"));
    EXPECT_EQ(entry().problem, disk_full.text) << "the lead waits for it by name";
    EXPECT_EQ(follower_->trouble().token, disk_full.text);
    EXPECT_EQ(entry().staged, "");
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "stage", "report"));
    EXPECT_EQ(entry().problem, "");
    EXPECT_EQ(follower_->trouble().token, "");
}

TEST_F(BeforeDelivery, SaysWhyItCannotDeliverAndTriesAgain) {
    round();
    commit();
    faults_.emplace("replace", disk_full);
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace fails", "report"));
    EXPECT_EQ(entry().file, old_print);
    EXPECT_EQ(entry().problem, disk_full.text);
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "report"));
    EXPECT_EQ(entry().problem, "");
}

TEST_F(BeforeDelivery, PutsTheOldTokenBackInARevert) {
    commit();
    round();
    document_.state.rotation->phase = Phase::revert;
    document_.deliver = old_print;
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "report"));
    EXPECT_EQ(entry().file, old_print);
}

TEST_F(BeforeDelivery, DeliversWithoutARotationToo) {
    document_ = idle_fleet();
    entry().file = "";
    own_.file = "";
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "replace", "report"));
    EXPECT_EQ(entry().file, old_print);
}

// --- Turns ---------------------------------------------------------------------------------------

/// host-2 has everything, and its unit has a turn.
class WithTurn : public FollowerTest {
  protected:
    WithTurn() {
        round();
        document_.turns = {small_turn(2, TurnState::granted)};
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
    EXPECT_THAT(round(), ElementsAre("look", "see", "replace", "report", "take", "restart", "see",
                                     "end"));
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

TEST_F(WithTurn, UsesItAfterACrashIfTheProcessIsStillThere) {
    die_before("restart");
    EXPECT_EQ(turn().state, TurnState::taken);
    EXPECT_THAT(round(), ElementsAre("look", "inspect", "stage", "restart", "see", "end"));
    EXPECT_EQ(restarts_, 1);
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

TEST_F(WithTurn, GivesItBackWhenItIsTooLate) {
    faults_.emplace("restart", Error{Fault::busy, "keyturnd was stopped for a while", {}});
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart fails", "give back"));
    EXPECT_EQ(turn().state, TurnState::granted);
    faults_.clear();
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart", "see", "end"));
}

TEST_F(WithTurn, PassesOnWhatSystemdRefused) {
    faults_.emplace("restart", no_right);
    EXPECT_THAT(round(), ElementsAre("look", "see", "take", "restart fails", "see", "end"));
    EXPECT_EQ(turn().fault, Fault::denied);
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

// --- Its place -----------------------------------------------------------------------------------

TEST_F(FollowerTest, DoesNothingOnAHostThatIsNoMember) {
    document_ = fleet_with_turn(2, TurnState::granted);
    document_.members.erase("host-2");
    own_.file = old_print;
    EXPECT_THAT(round(), ElementsAre("look"));
    EXPECT_THAT(follower_->trouble().standing, HasSubstr("does not have host-2 any more"));
    document_.members.emplace("host-2", small_member(2));
    EXPECT_THAT(round(), Contains("take"));
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
