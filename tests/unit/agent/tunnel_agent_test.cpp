#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

using std::chrono::days;

TEST_F(TunnelAgentTest, WritesTheTokenFileAtItsFirstStart) {
    start_serving();
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_GE(host_->rests, 1) << "the connection to the API is not kept while idle";
}

TEST_F(TunnelAgentTest, TriesAgainToWriteTheTokenFileAndSaysWhy) {
    host_->api_down = no_answer;
    start();
    pass(5min);
    EXPECT_EQ(status().state, "waiting");
    EXPECT_THAT(status().reason, HasSubstr(no_answer.text));
    EXPECT_EQ(count(EventKind::token_file_missing), 1U);
    host_->api_down.reset();
    EXPECT_TRUE(run_until_state("idle", 2min));
    EXPECT_TRUE(std::filesystem::exists(token_file()));
}

TEST_F(TunnelAgentTest, RotatesOnRequestAndServesThroughout) {
    start_serving();
    const std::string before = host_->api_token_text();
    rotate({.trigger = "spring cleaning"});
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_EQ(status().trigger, "spring cleaning");
    EXPECT_NE(host_->api_token_text(), before);
    EXPECT_TRUE(file_holds_the_api_token());
    EXPECT_FALSE(keeps_secrets());
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_GT(changes_, 5);
}

TEST_F(TunnelAgentTest, RotatesWhenItIsDueAndNotBefore) {
    policy_.schedule.every = days{30};
    start_serving();
    pass(days{29});
    EXPECT_EQ(restarts(), 0);
    run_until([this] { return status().last_done.has_value(); }, days{2});
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(status().trigger, "schedule");
    pass(days{95});
    EXPECT_THAT(host_->secrets_sent, SizeIs(4)) << "every 30 days, for 125 days";
}

TEST_F(TunnelAgentTest, TriesARefusedScheduleAgainLater) {
    policy_.schedule.every = days{30};
    start_serving();
    host_->api_down = no_write;
    pass(days{30} + 40min);
    EXPECT_EQ(count(EventKind::rotation_refused), 3U);
    host_->api_down.reset();
    pass(1h);
    EXPECT_EQ(status().last_outcome, "done");
}

TEST_F(TunnelAgentTest, TakesOneRotationAtATimeAndNoneWithinTheInterval) {
    start_serving();
    request();
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::conflict);
    ASSERT_TRUE(run_until_state("running"));
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::conflict);
    ASSERT_TRUE(run_until_state("idle"));
    const Result<void> again = agent_->request_rotation({});
    EXPECT_EQ(again.error().fault, Fault::denied);
    EXPECT_THAT(again.error().text, HasSubstr("`min_interval` is 1d"));
    EXPECT_THAT(again.error().text, HasSubstr("You can rotate it from 2026-"));
    EXPECT_THAT(again.error().text, HasSubstr("a lower `min_interval` in the policy"));
    EXPECT_THAT(again.error().text, HasSubstr("`keyturnctl rotate web --compromised`"));
    EXPECT_EQ(agent_->decide(Decision::retry).error().fault, Fault::conflict);
}

TEST_F(TunnelAgentTest, HoldsOverARestartUntilAnOperatorRetries) {
    start_serving();
    first().ignores_starts = true;
    request();
    ASSERT_TRUE(run_until_state("held"));
    EXPECT_EQ(status().hold_reason, "verification_failed");
    pass(1h);
    EXPECT_EQ(status().state, "held");

    restart();
    ASSERT_TRUE(run_until_state("held", 1min));
    first().ignores_starts = false;
    pass(1h);
    EXPECT_EQ(status().state, "held");
    EXPECT_EQ(second().restarts, 0);

    decide(Decision::retry);
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_TRUE(told(EventKind::hold_lifted));
}

TEST_F(TunnelAgentTest, GoesOnAfterBeingStoppedAtAnyMoment) {
    start_serving();
    request();
    int stops = 0;
    while (status().last_outcome != "done" && stops < 400) {
        pass(2s);
        restart();
        pass(stops % 10 == 9 ? Milliseconds{11min} : 300ms);
        ++stops;
    }
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_EQ(restarts(), 2);
}

TEST_F(TunnelAgentTest, DoesNotForgetAnAcceptedRequestHoweverSoonItEnds) {
    start_serving();
    request({.trigger = "spring cleaning", .accept_gap = true});
    EXPECT_EQ(status().state, "running");
    EXPECT_EQ(status().phase, "preflight");
    restart();
    EXPECT_EQ(status().state, "running") << "also before it has taken it up";
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::conflict);
    EXPECT_TRUE(run_until([this] { return status().last_outcome == "done"; }));
    EXPECT_EQ(status().trigger, "spring cleaning");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
}

TEST_F(TunnelAgentTest, DoesNotForgetACompromiseThatSupersedesWhatIsOpen) {
    come_to_the_soak();
    RotationRequest compromised;
    compromised.kind = RotationKind::compromise;
    request(compromised);
    restart();
    EXPECT_EQ(status().trigger, "compromised");
    run_until([this] { return status().last_outcome == "done"; });
    EXPECT_EQ(status().trigger, "compromised");
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
    EXPECT_TRUE(file_holds_the_api_token());
}

TEST_F(TunnelAgentTest, AcceptsNothingThatItCannotRecord) {
    start_serving();
    std::filesystem::rename(directory_ / "state", directory_ / "elsewhere");
    const Result<void> asked = agent_->request_rotation({});
    ASSERT_TRUE(asked.has_error());
    EXPECT_THAT(asked.error().text, HasSubstr("cannot be recorded"));
    pass(5min);
    EXPECT_EQ(status().state, "idle");
    std::filesystem::rename(directory_ / "elsewhere", directory_ / "state");
    EXPECT_TRUE(agent_->request_rotation({}));
}

TEST_F(TunnelAgentTest, RefusesToRotateOnAStateThatCannotBeTrusted) {
    start_serving();
    stop();
    for (const char* name : {"/state/web.json", "/state/web.json.1"}) {
        std::filesystem::remove(directory_.path() + name);
    }
    std::filesystem::create_directory(directory_ / "state/web.json");
    start();
    EXPECT_EQ(status().state, "held");
    EXPECT_EQ(status().hold_reason, "state_unreadable");
    EXPECT_TRUE(told(EventKind::state_unreadable));
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::denied);
}

}  // namespace
}  // namespace keyturn
