#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST_F(TunnelAgentTest, WritesTheTokenFileAtItsFirstStart) {
    start_serving();
    const auto token = tokens_->current("web");
    ASSERT_TRUE(token && *token);
    EXPECT_EQ((*token)->reveal(), host_->api_token_text());
    EXPECT_GE(host_->rests, 1) << "the connection to the API is not kept while idle";
}

TEST_F(TunnelAgentTest, TriesAgainToWriteTheTokenFileAndSaysWhy) {
    host_->api_down = Error{Fault::unreachable, "connection refused", {}};
    start();
    clock_.run_until([] { return false; }, 5min);
    EXPECT_EQ(agent_->status().state, "waiting");
    EXPECT_THAT(agent_->status().reason, HasSubstr("connection refused"));
    EXPECT_EQ(std::ranges::count(log_.events, EventKind::token_file_missing, &Event::kind), 1);
    host_->api_down.reset();
    EXPECT_TRUE(run_until_state("idle", 2min));
    EXPECT_TRUE(std::filesystem::exists(tokens_->path("web")));
}

TEST_F(TunnelAgentTest, RotatesOnRequestAndServesThroughout) {
    start_serving();
    const std::string before = host_->api_token_text();
    ASSERT_TRUE(agent_->request_rotation({.trigger = "spring cleaning"}));
    ASSERT_TRUE(run_until_state("running"));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_EQ(agent_->status().trigger, "spring cleaning");
    EXPECT_NE(host_->api_token_text(), before);
    EXPECT_EQ((*tokens_->current("web"))->reveal(), host_->api_token_text());
    EXPECT_FALSE(tokens_->pending("web")->has_value());
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_GT(changes_, 5);
}

TEST_F(TunnelAgentTest, RotatesWhenItIsDueAndNotBefore) {
    policy_.schedule.every = std::chrono::days{30};
    start_serving();
    clock_.run_until([] { return false; }, std::chrono::days{29});
    EXPECT_EQ(restarts(), 0);
    clock_.run_until([this] { return agent_->status().last_done.has_value(); },
                     std::chrono::days{2});
    EXPECT_EQ(restarts(), 2);
    EXPECT_EQ(agent_->status().trigger, "schedule");
    clock_.run_until([] { return false; }, std::chrono::days{95});
    EXPECT_THAT(host_->secrets_sent, SizeIs(4)) << "every 30 days, for 125 days";
}

TEST_F(TunnelAgentTest, TriesARefusedScheduleAgainLater) {
    policy_.schedule.every = std::chrono::days{30};
    start_serving();
    host_->api_down = Error{Fault::denied, "the API token lacks Write", {}};
    clock_.run_until([] { return false; }, std::chrono::days{30} + 40min);
    EXPECT_EQ(std::ranges::count(log_.events, EventKind::rotation_refused, &Event::kind), 3);
    host_->api_down.reset();
    clock_.run_until([] { return false; }, 1h);
    EXPECT_EQ(agent_->status().last_outcome, "done");
}

TEST_F(TunnelAgentTest, TakesOneRotationAtATimeAndNoneWithinTheInterval) {
    start_serving();
    ASSERT_TRUE(agent_->request_rotation({}));
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::conflict);
    ASSERT_TRUE(run_until_state("running"));
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::conflict);
    ASSERT_TRUE(run_until_state("idle"));
    const Result<void> again = agent_->request_rotation({});
    EXPECT_EQ(again.error().fault, Fault::denied);
    EXPECT_THAT(again.error().text, HasSubstr("`min_interval` is 1d"));
    EXPECT_THAT(again.error().text, HasSubstr("it can be rotated from 2026-"));
    EXPECT_THAT(again.error().text, HasSubstr("a lower `min_interval` in the policy"));
    EXPECT_THAT(again.error().text, HasSubstr("`keyturnctl rotate web --compromised`"));
    EXPECT_EQ(agent_->decide(Decision::retry).error().fault, Fault::conflict);
}

TEST_F(TunnelAgentTest, HoldsOverARestartUntilAnOperatorRetries) {
    start_serving();
    host_->units.at("cloudflared-web@1.service").ignores_starts = true;
    ASSERT_TRUE(agent_->request_rotation({}));
    ASSERT_TRUE(run_until_state("held"));
    EXPECT_EQ(agent_->status().hold_reason, "verification_failed");
    clock_.run_until([] { return false; }, 1h);
    EXPECT_EQ(agent_->status().state, "held");

    stop();
    start();
    ASSERT_TRUE(run_until_state("held", 1min));
    host_->units.at("cloudflared-web@1.service").ignores_starts = false;
    clock_.run_until([] { return false; }, 1h);
    EXPECT_EQ(agent_->status().state, "held");
    EXPECT_EQ(host_->units.at("cloudflared-web@2.service").restarts, 0);

    ASSERT_TRUE(agent_->decide(Decision::retry));
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_TRUE(log_.told(EventKind::hold_lifted));
}

TEST_F(TunnelAgentTest, GoesOnAfterBeingStoppedAtAnyMoment) {
    start_serving();
    ASSERT_TRUE(agent_->request_rotation({}));
    int stops = 0;
    while (agent_->status().last_outcome != "done" && stops < 400) {
        clock_.run_until([] { return false; }, 2s);
        stop();
        start();
        clock_.run_until([] { return false; }, stops % 10 == 9 ? Milliseconds{11min} : 300ms);
        ++stops;
    }
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_EQ(restarts(), 2);
}

TEST_F(TunnelAgentTest, DoesNotForgetAnAcceptedRequestHoweverSoonItEnds) {
    start_serving();
    RotationRequest request;
    request.trigger = "spring cleaning";
    request.accept_gap = true;
    ASSERT_TRUE(agent_->request_rotation(request));
    EXPECT_EQ(agent_->status().state, "running");
    EXPECT_EQ(agent_->status().phase, "preflight");
    stop();
    start();
    EXPECT_EQ(agent_->status().state, "running") << "also before it has taken it up";
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::conflict);
    clock_.run_until([this] { return agent_->status().last_outcome == "done"; }, 1h);
    EXPECT_EQ(agent_->status().last_outcome, "done");
    EXPECT_EQ(agent_->status().trigger, "spring cleaning");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
}

TEST_F(TunnelAgentTest, DoesNotForgetACompromiseThatSupersedesWhatIsOpen) {
    start_serving();
    ASSERT_TRUE(agent_->request_rotation({}));
    clock_.run_until([this] { return agent_->status().phase == "soak"; }, 1h);
    RotationRequest request;
    request.kind = RotationKind::compromise;
    ASSERT_TRUE(agent_->request_rotation(request));
    stop();
    start();
    EXPECT_EQ(agent_->status().trigger, "compromised");
    clock_.run_until([this] { return agent_->status().last_outcome == "done"; }, 1h);
    EXPECT_EQ(agent_->status().trigger, "compromised");
    EXPECT_THAT(host_->secrets_sent, SizeIs(2));
    EXPECT_EQ((*tokens_->current("web"))->reveal(), host_->api_token_text());
}

TEST_F(TunnelAgentTest, AcceptsNothingThatItCannotRecord) {
    start_serving();
    std::filesystem::rename(directory_ + "/state", directory_ + "/elsewhere");
    const Result<void> asked = agent_->request_rotation({});
    ASSERT_TRUE(asked.has_error());
    EXPECT_THAT(asked.error().text, HasSubstr("cannot be recorded"));
    clock_.run_until([] { return false; }, 5min);
    EXPECT_EQ(agent_->status().state, "idle");
    std::filesystem::rename(directory_ + "/elsewhere", directory_ + "/state");
    EXPECT_TRUE(agent_->request_rotation({}));
}

TEST_F(TunnelAgentTest, ClearsAwayWhatAKilledStartHasLeft) {
    start_serving();
    stop();
    const std::string left_over = directory_ + "/tokens/.web.keyturn-0123abcd.tmp";
    std::filesystem::copy_file(tokens_->path("web"), left_over);
    start();
    EXPECT_FALSE(std::filesystem::exists(left_over));
    EXPECT_TRUE(std::filesystem::exists(tokens_->path("web")));
}

TEST_F(TunnelAgentTest, RefusesToRotateOnAStateThatCannotBeTrusted) {
    start_serving();
    stop();
    for (const char* name : {"/state/web.json", "/state/web.json.1"}) {
        std::filesystem::remove(directory_ + name);
    }
    std::filesystem::create_directory(directory_ + "/state/web.json");
    start();
    EXPECT_EQ(agent_->status().state, "held");
    EXPECT_EQ(agent_->status().hold_reason, "state_unreadable");
    EXPECT_TRUE(log_.told(EventKind::state_unreadable));
    EXPECT_EQ(agent_->request_rotation({}).error().fault, Fault::denied);
}

}  // namespace
}  // namespace keyturn
