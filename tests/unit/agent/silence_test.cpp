// What an idle tunnel reports: units on an unknown or an old token, a changed token file, and
// problems for which the next rotation would be refused.

#include "unit/agent/agent_fixture.hpp"

#include <fstream>

namespace keyturn {
namespace {

class SilenceTest : public TunnelAgentTest {
  protected:
    SilenceTest() { policy_.drift.units_interval = DriftPolicy().units_interval; }

    [[nodiscard]] std::vector<std::string> findings() const { return status().findings; }
    [[nodiscard]] std::vector<std::string> notes() const { return status().notes; }

    void rotate() {
        TunnelAgentTest::rotate();
        ASSERT_EQ(status().last_outcome, "done");
    }

    /// Somebody deletes the state, or restores another one, while keyturnd is stopped.
    void lose_state() {
        for (const auto& file : std::filesystem::directory_iterator(directory_ / "state")) {
            std::filesystem::remove(file.path());
        }
    }

    /// The state says that the second unit was started with an older token.
    void note_old_token() {
        Result<std::optional<TunnelState>> state = states_->load("web");
        ASSERT_TRUE(state && *state);
        ASSERT_THAT((*state)->starts, SizeIs(2));
        for (UnitStart& started : (*state)->starts) {
            if (started.unit == b) started.fingerprint = "0123456789abcdef";
        }
        ASSERT_TRUE(states_->save("web", **state));
    }

    void restart_units_by_hand() {
        for (auto& [name, unit] : host_->units) host_->restart_by_hand(unit);
    }
};

TEST_F(SilenceTest, AdvisesNoRestartByHandWhileARotationIsOpen) {
    start_serving();
    stop();
    lose_state();
    start();
    pass(1min);
    ASSERT_THAT(notes(), SizeIs(2));
    first().ignores_starts = true;
    request();
    ASSERT_TRUE(run_until_state("held"));
    EXPECT_THAT(notes(), IsEmpty()) << "one of them is the last that serves";
    restart();
    EXPECT_THAT(notes(), IsEmpty());
    pass(1min);
    EXPECT_THAT(notes(), IsEmpty());
}

TEST_F(SilenceTest, FindsNothingOnAnotherTokenAfterOneThatWentBack) {
    policy_.rollout.soak = 10min;
    start_serving();
    pass(16min);
    request();
    ASSERT_TRUE(run_until([this] { return told(EventKind::soak_started); }));
    decide(Decision::revert);
    ASSERT_TRUE(run_until_state("idle"));
    ASSERT_EQ(status().last_outcome, "reverted");
    const int before = restarts();
    pass(3h);
    EXPECT_FALSE(told(EventKind::token_outdated) || told(EventKind::token_unknown));
    EXPECT_EQ(restarts(), before) << "the other unit never left the old token";
}

TEST_F(SilenceTest, SaysOnceThatItDoesNotKnowTheTokenOfAUnitThatWasThereBefore) {
    start_serving();
    pass(16min);
    ASSERT_THAT(findings(), IsEmpty()) << "it saw both of them start";
    stop();
    lose_state();
    start();
    pass(1min);
    EXPECT_EQ(count(EventKind::token_unknown), 2U) << "one for each unit";
    EXPECT_THAT(notes(), Contains(AllOf(HasSubstr(a + ": token unknown"),
                                        HasSubstr("systemctl restart " + a))));
    pass(3min);
    EXPECT_THAT(findings(), IsEmpty()) << "no fault that anybody has seen";
    restart();
    pass(3h);
    EXPECT_EQ(count(EventKind::token_unknown), 2U) << "once, also over restarts of keyturnd";
    EXPECT_EQ(restarts(), 0) << "keyturnd knows of no fault";
    restart_units_by_hand();
    pass(2min);
    EXPECT_THAT(notes(), IsEmpty()) << "it has seen them start";
}

TEST_F(SilenceTest, BringsAUnitOfALostStateOntoTheTokenOfNow) {
    start_serving();
    rotate();
    const std::string invocation = first().state.invocation;
    host_->rotate_by_somebody_else('f');
    std::ofstream(token_file()) << host_->api_token_text();  // A roll-out that came this far.
    host_->restart_by_hand(second());
    stop();
    lose_state();
    const int before = first().restarts;
    start();
    pass(40min);
    EXPECT_EQ(count(EventKind::token_outdated), 1U);
    EXPECT_THAT(log_.message(EventKind::token_outdated), HasSubstr(a));
    EXPECT_NE(first().state.invocation, invocation);
    EXPECT_EQ(first().restarts, before + 1);
    EXPECT_EQ(first().token, host_->api_token_text());
    EXPECT_EQ(status().state, "idle");
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(SilenceTest, BringsUnitsOntoTheTokenWhenTheStateIsLostInTheFirstSoak) {
    start_serving();
    pass(5min);
    const std::string invocation = second().state.invocation;
    request();
    ASSERT_TRUE(run_until_soak());
    stop();
    lose_state();
    ASSERT_EQ(second().state.invocation, invocation) << "it still runs on the old token";
    start();
    pass(40min);
    EXPECT_GE(count(EventKind::token_outdated), 1U);
    EXPECT_NE(second().state.invocation, invocation);
    EXPECT_EQ(second().token, host_->api_token_text());
    EXPECT_EQ(status().state, "idle");
    EXPECT_THAT(findings(), IsEmpty());
    EXPECT_THAT(notes(), IsEmpty());
    EXPECT_FALSE(keeps_secrets());
}

TEST_F(SilenceTest, KnowsFromTheHistoryWhoWasLeftOnTheOldToken) {
    policy_.drift.restart = DriftRestart::never;
    start_serving();
    pass(16min);
    host_->rotate_by_somebody_else('f');
    pass(20min);
    ASSERT_EQ(status().last_outcome, "taken over");
    stop();
    lose_state();
    policy_.drift.restart = DriftRestart::now;
    start();
    pass(20min);
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(second().token, host_->api_token_text());
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(SilenceTest, RestartsOnlyTheUnitThatIsKnownToBeOnAnOldToken) {
    start_serving();
    rotate();
    stop();
    note_old_token();
    const int first_before = first().restarts;
    const int second_before = second().restarts;
    start();
    pass(30min);
    EXPECT_EQ(count(EventKind::token_outdated), 1U);
    EXPECT_EQ(first().restarts, first_before);
    EXPECT_EQ(second().restarts, second_before + 1);
    EXPECT_THAT(findings(), IsEmpty());
    EXPECT_FALSE(keeps_secrets());
}

TEST_F(SilenceTest, OnlySaysSoWhereItIsNeverToRestartAnything) {
    policy_.drift.restart = DriftRestart::never;
    start_serving();
    pass(16min);
    host_->rotate_by_somebody_else('f');
    pass(2h);
    EXPECT_EQ(count(EventKind::token_outdated), 2U);
    EXPECT_THAT(findings(), Contains(HasSubstr("cannot get a lost connection back")));
    second().connected = false;
    pass(1h);
    EXPECT_EQ(restarts(), 0);
    restart_units_by_hand();
    pass(2min);
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(SilenceTest, WritesATokenFileAgainThatWasChangedAndRestartsNothing) {
    start_serving();
    pass(16min);
    const std::vector<std::string> contents{"", "nonsense", "(gone)"};
    std::size_t times = 0;
    for (const std::string& content : contents) {
        if (content == "(gone)") {
            std::filesystem::remove(token_file());
        } else {
            std::ofstream(token_file()) << content;
        }
        pass(3min);
        EXPECT_TRUE(file_holds_the_api_token()) << content;
        EXPECT_EQ(count(EventKind::token_file_changed), ++times) << content;
    }
    pass(1h);
    EXPECT_EQ(count(EventKind::token_file_changed), times);
    EXPECT_FALSE(told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(), 0);
    EXPECT_EQ(status().last_outcome, "") << "no rotation was needed";
}

TEST_F(SilenceTest, WritesATokenFileAgainThatABackupHasPutBack) {
    start_serving();
    const std::string old = host_->api_token_text();
    rotate();
    const int before = restarts();
    std::ofstream(token_file()) << old;
    pass(3min);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_EQ(count(EventKind::token_file_changed), 1U);
    EXPECT_FALSE(told(EventKind::foreign_rotation));
    EXPECT_EQ(restarts(), before);
}

TEST_F(SilenceTest, SaysWhatWouldHaveTheNextRotationRefusedWhenItBeginsAndWhenItEnds) {
    start_serving();
    pass(16min);
    ASSERT_THAT(findings(), IsEmpty());
    second().settings = UnitSettings{};
    second().settings->exec_start = {{"cloudflared", "tunnel", "run", "--token", "x"}};
    pass(20min);
    ASSERT_THAT(findings(), SizeIs(1));
    EXPECT_THAT(findings(),
                Contains(AllOf(HasSubstr("the next rotation would be refused"), HasSubstr(b))));
    EXPECT_EQ(count(EventKind::finding_began), 1U);
    pass(3h);
    EXPECT_EQ(count(EventKind::finding_began), 1U) << "once";
    second().settings.reset();
    pass(20min);
    EXPECT_THAT(findings(), IsEmpty());
    EXPECT_EQ(count(EventKind::finding_ended), 1U);
}

TEST_F(SilenceTest, SaysThatAUnitDoesNotServeOrCannotBeAsked) {
    start_serving();
    pass(16min);
    second().unready = Error{Fault::unreachable, "nothing listens", {}};
    pass(20min);
    EXPECT_THAT(findings(), Contains(HasSubstr("cannot ask /ready: nothing listens")));
    second().unready.reset();
    second().connected = false;
    pass(20min);
    EXPECT_THAT(findings(), Contains(HasSubstr("has no connection to Cloudflare")));
    host_->units.erase(b);
    pass(20min);
    EXPECT_THAT(findings(), Contains(HasSubstr("create the unit")));
    EXPECT_EQ(restarts(), 0) << "it is on the right token, so a restart would change nothing";
}

TEST_F(SilenceTest, FollowsARotationInTheDashboardAsSoonAsAUnitFallsOverIt) {
    policy_.drift.interval = 24h;
    start_serving();
    pass(3min);
    host_->rotate_by_somebody_else('f');
    host_->restart_by_hand(second());
    ASSERT_FALSE(second().connected) << "it read the file, which nobody has changed";
    pass(2min);
    EXPECT_TRUE(file_holds_the_api_token());
    pass(10min);
    EXPECT_TRUE(second().connected);
}

TEST_F(SilenceTest, BringsBackAUnitWithoutConnectionsOnAnOldTokenBeforeItsWindow) {
    policy_.schedule.windows = {{parse_calendar("04:00").value(), 4h}};  // It is 02:30.
    start_serving();
    rotate();
    stop();
    note_old_token();
    start();
    pass(10min);
    const int before = restarts();
    EXPECT_THAT(findings(), Contains(HasSubstr("0123456789abcdef"))) << "it waits for the window";
    second().connected = false;
    pass(10min);
    EXPECT_EQ(restarts(), before + 1);
    EXPECT_TRUE(second().connected);
    pass(3h);
    EXPECT_EQ(restarts(), before + 1) << "once";
}

TEST_F(SilenceTest, LooksAtAUnitRightAfterAJobOfIt) {
    policy_.drift.interval = 24h;
    start_serving();
    pass(3min + 1s);
    host_->rotate_by_somebody_else('f');
    host_->restart_by_hand(second());
    agent_->unit_job_ended("cloudflared-shop@1.service");
    pass(5s);
    EXPECT_FALSE(file_holds_the_api_token()) << "a unit of somebody else";
    agent_->unit_job_ended(b);
    pass(5s);
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(SilenceTest, LooksForStrangersAtTheEndOfARotation) {
    policy_.drift.interval = 24h;
    start_serving();
    pass(5min);
    request();
    ASSERT_TRUE(run_until_soak());
    host_->strangers = {thief};
    ASSERT_TRUE(run_until_state("idle"));
    pass(2min);
    EXPECT_EQ(count(EventKind::foreign_connector), 1U);
    EXPECT_THAT(findings(), Contains(HasSubstr(other_address)));
    host_->strangers.clear();
    pass(25h);
    EXPECT_EQ(count(EventKind::foreign_connector), 1U) << "once";
    EXPECT_EQ(count(EventKind::finding_ended), 1U);
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(SilenceTest, SaysOnceThatCloudflareRefusesItAndOnceThatItDoesNoMore) {
    start_serving();
    pass(5min);
    host_->api_down = no_write;
    pass(2h);
    EXPECT_EQ(count(EventKind::drift_unknown), 1U);
    EXPECT_EQ(count(EventKind::finding_ended), 0U);
    host_->api_down.reset();
    pass(2h);
    EXPECT_EQ(count(EventKind::finding_ended), 1U);
    EXPECT_THAT(log_.message(EventKind::finding_ended), HasSubstr("the API token lacks Write"));
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(SilenceTest, LooksOutOfTurnAtMostOnceAMinute) {
    policy_.drift.interval = 24h;
    start_serving();
    pass(3min);
    const int before = host_->rests;
    for (int i = 0; i < 60; ++i) {  // systemd does this with a unit that never connects.
        host_->restart_by_hand(second());
        second().connected = false;
        pass(20s);
    }
    EXPECT_GE(host_->rests - before, 5);
    EXPECT_LE(host_->rests - before, 21) << "in 20 minutes";
}

}  // namespace
}  // namespace keyturn
