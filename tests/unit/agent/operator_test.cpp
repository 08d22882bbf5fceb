#include "unit/agent/agent_fixture.hpp"

#include <fstream>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// What an operator may say besides: pause, resume, revert.
class OperatorTest : public TunnelAgentTest {
  protected:
    /// A rotation whose first unit has been restarted.
    void come_to_the_soak() {
        start_serving();
        ASSERT_TRUE(agent_->request_rotation({}));
        ASSERT_TRUE(clock_.run_until([this] { return agent_->status().phase == "soak"; }, 5min));
    }

    [[nodiscard]] Fault fault_of(Decision decision) {
        return agent_->decide(decision).error().fault;
    }
};

TEST_F(OperatorTest, PauseStopsTheScheduleAndOutlivesARestart) {
    policy_.schedule.every = std::chrono::days{30};
    start_serving();
    ASSERT_TRUE(agent_->decide(Decision::pause));
    EXPECT_EQ(agent_->status().state, "paused");
    EXPECT_TRUE(log_.told(EventKind::tunnel_paused));
    stop();
    start();
    EXPECT_EQ(agent_->status().state, "paused");
    pass(std::chrono::days{40});
    EXPECT_EQ(restarts(), 0);
    EXPECT_THAT(host_->secrets_sent, SizeIs(0));
    ASSERT_TRUE(agent_->decide(Decision::resume));
    EXPECT_TRUE(log_.told(EventKind::tunnel_unpaused));
    pass(1h);
    EXPECT_EQ(restarts(), 2) << "what was due meanwhile is made up for";
    EXPECT_EQ(agent_->status().state, "idle");
}

TEST_F(OperatorTest, PauseStopsARotationByHand) {
    start_serving();
    ASSERT_TRUE(agent_->decide(Decision::pause));
    const Result<void> refused = agent_->request_rotation({});
    EXPECT_EQ(refused.error().fault, Fault::denied);
    EXPECT_THAT(refused.error().text, HasSubstr("`keyturnctl resume web`"));
    ASSERT_TRUE(agent_->decide(Decision::resume));
    EXPECT_TRUE(agent_->request_rotation({}));
}

TEST_F(OperatorTest, PauseIsSaidOnce) {
    start_serving();
    EXPECT_EQ(fault_of(Decision::resume), Fault::conflict);
    ASSERT_TRUE(agent_->decide(Decision::pause));
    EXPECT_EQ(fault_of(Decision::pause), Fault::conflict);
}

TEST_F(OperatorTest, RetryInAPauseNamesResume) {
    start_serving();
    ASSERT_TRUE(agent_->decide(Decision::pause));
    const Result<void> at_rest = agent_->decide(Decision::retry);
    ASSERT_FALSE(at_rest);
    EXPECT_EQ(at_rest.error().fault, Fault::conflict);
    EXPECT_THAT(at_rest.error().text, HasSubstr("web is paused"));
    EXPECT_THAT(at_rest.error().text, HasSubstr("`keyturnctl resume web`"));
    ASSERT_TRUE(agent_->decide(Decision::resume));
    EXPECT_THAT(agent_->decide(Decision::retry).error().text, HasSubstr("web is not held"));
}

TEST_F(OperatorTest, PauseThatCannotBeWrittenIsNone) {
    start_serving();
    const std::filesystem::path states = directory_ + "/state";
    std::filesystem::rename(states, directory_ + "/elsewhere");
    std::ofstream(states) << "no directory";
    const Result<void> paused = agent_->decide(Decision::pause);
    ASSERT_FALSE(paused);
    EXPECT_THAT(paused.error().text, HasSubstr("the pause cannot be written"));
    EXPECT_EQ(agent_->status().state, "idle");
    EXPECT_FALSE(log_.told(EventKind::tunnel_paused));
    std::filesystem::remove(states);
    std::filesystem::rename(directory_ + "/elsewhere", states);
    EXPECT_TRUE(agent_->decide(Decision::pause));
}

TEST_F(OperatorTest, PauseStopsAnOpenRotationOverARestartUntilItIsResumed) {
    come_to_the_soak();
    ASSERT_TRUE(agent_->decide(Decision::pause));
    ASSERT_TRUE(run_until_state("paused"));
    pass(2h);
    stop();
    start();
    ASSERT_TRUE(run_until_state("paused"));
    pass(2h);
    EXPECT_EQ(restarts(), 1);
    ASSERT_TRUE(agent_->decide(Decision::resume));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
}

TEST_F(OperatorTest, RevertBringsTheOldTokenBack) {
    start_serving();
    const std::string before = host_->api_token_text();
    stop();
    come_to_the_soak();
    ASSERT_TRUE(agent_->decide(Decision::revert));
    pass(1s);
    EXPECT_TRUE(log_.told(EventKind::rotation_reverting));
    EXPECT_EQ(fault_of(Decision::revert), Fault::denied) << "it is going back already";
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "reverted");
    EXPECT_THAT(agent_->status().reason, HasSubstr("an operator asked for it"));
    EXPECT_EQ(host_->api_token_text(), before);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_FALSE(tokens_->pending("web")->has_value());
    EXPECT_EQ(host_->units.at(policy_.units[0]).restarts, 2);
    EXPECT_EQ(host_->units.at(policy_.units[1]).restarts, 0);
    EXPECT_FALSE(agent_->status().last_done);
}

TEST_F(OperatorTest, RevertGoesOnAfterARestart) {
    come_to_the_soak();
    ASSERT_TRUE(agent_->decide(Decision::revert));
    pass(1s);
    ASSERT_TRUE(log_.told(EventKind::rotation_reverting));
    stop();
    start();
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "reverted");
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(OperatorTest, RevertLeavesAHold) {
    start_serving();
    host_->units.at(policy_.units[0]).ignores_starts = true;
    ASSERT_TRUE(agent_->request_rotation({}));
    ASSERT_TRUE(run_until_state("held"));
    host_->units.at(policy_.units[0]).ignores_starts = false;
    ASSERT_TRUE(agent_->decide(Decision::revert));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "reverted");
}

TEST_F(OperatorTest, RevertOfWhatHasNotBegunIsARefusal) {
    start_serving();
    host_->api_down = Error{Fault::unreachable, "connection refused", {}};
    ASSERT_TRUE(agent_->request_rotation({}));
    pass(100ms);
    ASSERT_TRUE(agent_->decide(Decision::revert));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "refused");
    EXPECT_EQ(agent_->status().reason, "an operator called it off");
}

TEST_F(OperatorTest, RevertNeedsAnOpenRotation) {
    start_serving();
    EXPECT_EQ(fault_of(Decision::revert), Fault::conflict);
}

TEST_F(OperatorTest, RevertIsNotFollowedByTheScheduleBeforeTheInterval) {
    policy_.schedule.every = std::chrono::days{30};
    start_serving();
    ASSERT_TRUE(clock_.run_until([this] { return agent_->status().phase == "soak"; },
                                 std::chrono::days{31}));
    ASSERT_TRUE(agent_->decide(Decision::revert));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "reverted");
    pass(23h);
    EXPECT_EQ(agent_->status().last_outcome, "reverted");
    EXPECT_THAT(host_->secrets_sent, SizeIs(2)) << "the new one and the old one";
    stop();
    start();
    pass(2h);
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(3));
}

/// The token is in wrong hands.
class CompromiseTest : public OperatorTest {
  protected:
    static RotationRequest compromised(std::string reason = "laptop lost") {
        RotationRequest request;
        request.trigger = std::move(reason);
        request.kind = RotationKind::compromise;
        return request;
    }

    void expect_locked_out() {
        EXPECT_TRUE(log_.told(EventKind::locked_out));
        EXPECT_EQ(agent_->status().last_outcome, "done");
        EXPECT_TRUE(file_holds_the_api_token());
        EXPECT_FALSE(tokens_->pending("web")->has_value());
        for (const auto& [name, unit] : host_->units) {
            EXPECT_EQ(unit.token, host_->api_token_text()) << name;
        }
    }
};

TEST_F(CompromiseTest, DropsWhoeverElseIsAttached) {
    start_serving();
    host_->strangers = {Connector{"thief", "198.51.100.7", "", "", 4}};
    ASSERT_TRUE(agent_->request_rotation(compromised()));
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("idle"));
    expect_locked_out();
    EXPECT_THAT(host_->evicted, ElementsAre("thief"));
    EXPECT_THAT(agent_->status().evicted, ElementsAre(testing::HasSubstr("connector thief")));
    EXPECT_TRUE(agent_->status().lockout) << "also after the end";
    EXPECT_FALSE(agent_->status().outage);
    EXPECT_EQ(agent_->status().trigger, "compromised: laptop lost");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
}

TEST_F(CompromiseTest, DropsAllWhereAskedForAndTakesThatForNothingElse) {
    start_serving();
    RotationRequest all = compromised("");
    all.evict_all = true;
    RotationRequest odd;
    odd.evict_all = true;
    EXPECT_EQ(agent_->request_rotation(odd).error().fault, Fault::invalid);
    ASSERT_TRUE(agent_->request_rotation(all));
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("idle"));
    expect_locked_out();
    EXPECT_THAT(host_->evicted, ElementsAre(""));
    EXPECT_TRUE(agent_->status().outage);
    EXPECT_EQ(agent_->status().trigger, "compromised");
}

TEST_F(CompromiseTest, PutsAnEndToAnOpenRotation) {
    come_to_the_soak();
    const std::string id = agent_->status().rotation_id;
    ASSERT_TRUE(agent_->request_rotation(compromised()));
    EXPECT_EQ(agent_->request_rotation(compromised()).error().fault, Fault::conflict);
    pass(1s);
    EXPECT_EQ(agent_->request_rotation(compromised()).error().fault, Fault::conflict);
    EXPECT_EQ(fault_of(Decision::revert), Fault::denied);
    ASSERT_TRUE(run_until_state("idle"));
    expect_locked_out();
    EXPECT_NE(agent_->status().rotation_id, id);
    EXPECT_THAT(host_->secrets_sent, SizeIs(2)) << "always another new one";
}

TEST_F(CompromiseTest, PutsAnEndToAHold) {
    start_serving();
    host_->units.at(policy_.units[0]).ignores_starts = true;
    ASSERT_TRUE(agent_->request_rotation({}));
    ASSERT_TRUE(run_until_state("held"));
    host_->units.at(policy_.units[0]).ignores_starts = false;
    RotationRequest request = compromised();
    request.accept_gap = true;  // The unit that failed is not running, and is left so.
    ASSERT_TRUE(agent_->request_rotation(request));
    ASSERT_TRUE(clock_.run_until([this] { return log_.told(EventKind::locked_out); }, 10min));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
}

TEST_F(CompromiseTest, MakesOneSecretOverRestartsInEveryMoment) {
    come_to_the_soak();
    ASSERT_TRUE(agent_->request_rotation(compromised()));
    pass(1ms);
    for (int stops = 0; stops < 60 && !log_.told(EventKind::locked_out); ++stops) {
        stop();
        start();
        pass(stops % 8 == 7 ? Milliseconds{40s} : 150ms);
    }
    ASSERT_TRUE(run_until_state("idle"));
    expect_locked_out();
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
}

TEST_F(CompromiseTest, IgnoresAPauseAndTheInterval) {
    start_serving();
    ASSERT_TRUE(agent_->request_rotation({}));
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("idle"));
    ASSERT_TRUE(agent_->decide(Decision::pause));
    ASSERT_TRUE(agent_->request_rotation(compromised()));
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("paused"));
    expect_locked_out();
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
}

}  // namespace
}  // namespace keyturn
