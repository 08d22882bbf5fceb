#include "unit/agent/agent_fixture.hpp"

#include <fstream>

namespace keyturn {
namespace {

using std::chrono::days;

/// The other commands of an operator: pause, resume, revert.
class OperatorTest : public TunnelAgentTest {
  protected:
    [[nodiscard]] Fault fault_of(Decision decision) {
        return agent_->decide(decision).error().fault;
    }
};

TEST_F(OperatorTest, PauseStopsTheScheduleAndOutlivesARestart) {
    policy_.schedule.every = days{30};
    start_serving();
    decide(Decision::pause);
    EXPECT_EQ(status().state, "paused");
    EXPECT_TRUE(told(EventKind::tunnel_paused));
    restart();
    EXPECT_EQ(status().state, "paused");
    pass(days{40});
    EXPECT_EQ(restarts(), 0);
    EXPECT_THAT(host_->secrets_sent, SizeIs(0));
    decide(Decision::resume);
    EXPECT_TRUE(told(EventKind::tunnel_unpaused));
    pass(1h);
    EXPECT_EQ(restarts(), 2) << "the rotation that was due starts now";
    EXPECT_EQ(status().state, "idle");
}

TEST_F(OperatorTest, PauseStopsARotationByHand) {
    start_serving();
    decide(Decision::pause);
    const Result<void> refused = agent_->request_rotation({});
    EXPECT_EQ(refused.error().fault, Fault::denied);
    EXPECT_THAT(refused.error().text, HasSubstr("`keyturnctl resume web`"));
    decide(Decision::resume);
    EXPECT_TRUE(agent_->request_rotation({}));
}

TEST_F(OperatorTest, PauseIsSaidOnce) {
    start_serving();
    EXPECT_EQ(fault_of(Decision::resume), Fault::conflict);
    decide(Decision::pause);
    EXPECT_EQ(fault_of(Decision::pause), Fault::conflict);
}

TEST_F(OperatorTest, RetryInAPauseNamesResume) {
    start_serving();
    decide(Decision::pause);
    const Result<void> at_rest = agent_->decide(Decision::retry);
    ASSERT_FALSE(at_rest);
    EXPECT_EQ(at_rest.error().fault, Fault::conflict);
    EXPECT_THAT(at_rest.error().text, HasSubstr("web is paused"));
    EXPECT_THAT(at_rest.error().text, HasSubstr("`keyturnctl resume web`"));
    decide(Decision::resume);
    EXPECT_THAT(agent_->decide(Decision::retry).error().text, HasSubstr("web is not held"));
}

TEST_F(OperatorTest, PauseThatCannotBeWrittenIsNone) {
    start_serving();
    const std::filesystem::path states = directory_ / "state";
    std::filesystem::rename(states, directory_ / "elsewhere");
    std::ofstream(states) << "no directory";
    EXPECT_THAT(agent_->decide(Decision::pause).error().text,
                HasSubstr("the pause cannot be written"));
    EXPECT_EQ(status().state, "idle");
    EXPECT_FALSE(told(EventKind::tunnel_paused));
    std::filesystem::remove(states);
    std::filesystem::rename(directory_ / "elsewhere", states);
    EXPECT_TRUE(agent_->decide(Decision::pause));
}

TEST_F(OperatorTest, PauseStopsAnOpenRotationOverARestartUntilItIsResumed) {
    come_to_the_soak();
    decide(Decision::pause);
    ASSERT_TRUE(run_until_state("paused"));
    pass(2h);
    restart();
    ASSERT_TRUE(run_until_state("paused"));
    pass(2h);
    EXPECT_EQ(restarts(), 1);
    decide(Decision::resume);
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
}

TEST_F(OperatorTest, RevertBringsTheOldTokenBack) {
    start_serving();
    const std::string before = host_->api_token_text();
    stop();
    come_to_the_soak();
    decide(Decision::revert);
    pass(1s);
    EXPECT_TRUE(told(EventKind::rotation_reverting));
    EXPECT_EQ(fault_of(Decision::revert), Fault::denied) << "it is going back already";
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "reverted");
    EXPECT_THAT(status().reason, HasSubstr("an operator asked for it"));
    EXPECT_EQ(host_->api_token_text(), before);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_FALSE(keeps_secrets());
    EXPECT_EQ(first().restarts, 2);
    EXPECT_EQ(second().restarts, 0);
    EXPECT_FALSE(status().last_done);
}

TEST_F(OperatorTest, RevertGoesOnAfterARestart) {
    come_to_the_soak();
    decide(Decision::revert);
    pass(1s);
    ASSERT_TRUE(told(EventKind::rotation_reverting));
    restart();
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "reverted");
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(OperatorTest, RevertLeavesAHold) {
    start_serving();
    first().ignores_starts = true;
    request();
    ASSERT_TRUE(run_until_state("held"));
    first().ignores_starts = false;
    decide(Decision::revert);
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "reverted");
}

TEST_F(OperatorTest, RevertOfWhatHasNotBegunIsARefusal) {
    start_serving();
    host_->api_down = no_answer;
    request();
    pass(100ms);
    decide(Decision::revert);
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "refused");
    EXPECT_EQ(status().reason, "an operator called it off");
}

TEST_F(OperatorTest, RevertNeedsAnOpenRotation) {
    start_serving();
    EXPECT_EQ(fault_of(Decision::revert), Fault::conflict);
}

TEST_F(OperatorTest, RevertIsNotFollowedByTheScheduleBeforeTheInterval) {
    policy_.schedule.every = days{30};
    start_serving();
    ASSERT_TRUE(run_until_soak(days{31}));
    decide(Decision::revert);
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "reverted");
    pass(23h);
    EXPECT_EQ(status().last_outcome, "reverted");
    EXPECT_THAT(host_->secrets_sent, SizeIs(2)) << "the new one and the old one";
    restart();
    pass(2h);
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(3));
}

/// Somebody else has the token.
class CompromiseTest : public OperatorTest {
  protected:
    static RotationRequest compromised(std::string reason = "laptop lost") {
        return {.kind = RotationKind::compromise, .trigger = std::move(reason)};
    }

    void expect_locked_out() {
        EXPECT_TRUE(told(EventKind::locked_out));
        EXPECT_EQ(status().last_outcome, "done");
        EXPECT_TRUE(file_holds_the_api_token());
        EXPECT_FALSE(keeps_secrets());
        for (const auto& [name, unit] : host_->units) {
            EXPECT_EQ(unit.token, host_->api_token_text()) << name;
        }
    }
};

TEST_F(CompromiseTest, DropsWhoeverElseIsAttached) {
    start_serving();
    host_->strangers = {thief};
    rotate(compromised());
    expect_locked_out();
    EXPECT_THAT(host_->evicted, ElementsAre("thief"));
    EXPECT_THAT(status().evicted, ElementsAre(HasSubstr("connector thief")));
    EXPECT_TRUE(status().lockout) << "also after the end";
    EXPECT_FALSE(status().outage);
    EXPECT_EQ(status().trigger, "compromised: laptop lost");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
}

TEST_F(CompromiseTest, DropsAllWhereAskedForAndTakesThatForNothingElse) {
    start_serving();
    const RotationRequest all{.kind = RotationKind::compromise, .evict_all = true};
    const RotationRequest odd{.evict_all = true};
    EXPECT_EQ(agent_->request_rotation(odd).error().fault, Fault::invalid);
    rotate(all);
    expect_locked_out();
    EXPECT_THAT(host_->evicted, ElementsAre(""));
    EXPECT_TRUE(status().outage);
    EXPECT_EQ(status().trigger, "compromised");
}

TEST_F(CompromiseTest, PutsAnEndToAnOpenRotation) {
    come_to_the_soak();
    const std::string id = status().rotation_id;
    request(compromised());
    EXPECT_EQ(agent_->request_rotation(compromised()).error().fault, Fault::conflict);
    pass(1s);
    EXPECT_EQ(agent_->request_rotation(compromised()).error().fault, Fault::conflict);
    EXPECT_EQ(fault_of(Decision::revert), Fault::denied);
    ASSERT_TRUE(run_until_state("idle"));
    expect_locked_out();
    EXPECT_NE(status().rotation_id, id);
    EXPECT_THAT(host_->secrets_sent, SizeIs(2)) << "always another new one";
}

TEST_F(CompromiseTest, PutsAnEndToAHold) {
    start_serving();
    first().ignores_starts = true;
    request();
    ASSERT_TRUE(run_until_state("held"));
    first().ignores_starts = false;
    RotationRequest accepting = compromised();
    accepting.accept_gap = true;  // The failed unit does not run, and keyturnd leaves it stopped.
    request(accepting);
    ASSERT_TRUE(run_until([this] { return told(EventKind::locked_out); }, 10min));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
}

TEST_F(CompromiseTest, MakesOneSecretOverRestartsInEveryMoment) {
    come_to_the_soak();
    request(compromised());
    pass(1ms);
    for (int stops = 0; stops < 60 && !told(EventKind::locked_out); ++stops) {
        restart();
        pass(stops % 8 == 7 ? Milliseconds{40s} : 150ms);
    }
    ASSERT_TRUE(run_until_state("idle"));
    expect_locked_out();
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
}

TEST_F(CompromiseTest, IgnoresAPauseAndTheInterval) {
    start_serving();
    rotate();
    decide(Decision::pause);
    request(compromised());
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("paused"));
    expect_locked_out();
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
}

}  // namespace
}  // namespace keyturn
