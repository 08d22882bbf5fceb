#include "agent/tunnel_agent.hpp"

#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/simulated_clock.hpp"
#include "journal/event_log.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;

struct RecordingLog final : EventLog {
    void record(const Event& event) override { events.push_back(event); }
    [[nodiscard]] bool told(EventKind kind) const {
        return std::ranges::find(events, kind, &Event::kind) != events.end();
    }
    std::vector<Event> events;
};

/// A whole daemon for one tunnel in simulated time: the real heart, shell, token files and state.
class TunnelAgentTest : public testing::Test {
  protected:
    TunnelAgentTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
        policy_.name = "web";
        policy_.account = "699d98642c564d2e855e9661899b7252";
        policy_.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
        policy_.units = {"cloudflared-web@1.service", "cloudflared-web@2.service"};
        states_ = *make_state_store(directory_);
        tokens_ = make_token_store(directory_);
        host_ = std::make_unique<FakeHost>(clock_, policy_, tokens_->path("web"));
    }

    ~TunnelAgentTest() override {
        stop();
        agent_.reset();
        states_.reset();
        std::filesystem::remove_all(directory_);
    }

    /// Starts the agent, as the daemon does at its own start.
    void start() {
        const Boundaries world{clock_, *host_, *host_, *host_, *tokens_, *states_, *random_};
        agent_ = std::make_unique<TunnelAgent>(context_.get_executor(), policy_, world, log_,
                                               [this](const TunnelAgent&) { ++changes_; });
        agent_->load();
        auto ended = [this](std::exception_ptr) { running_ = false; };
        running_ = true;
        boost::asio::co_spawn(context_, agent_->run(),
                              boost::asio::bind_cancellation_slot(stop_.slot(), ended));
    }

    /// Ends it as SIGTERM does; what is on disk stays.
    void stop() {
        if (!running_) return;
        stop_.emit(boost::asio::cancellation_type::terminal);
        clock_.run_until([this] { return !running_; }, 0ms);
        EXPECT_FALSE(running_) << "cancelling ends the agent at once";
    }

    /// The agent with its token file written and both units serving.
    void start_serving() {
        start();
        ASSERT_TRUE(run_until_state("idle"));
        clock_.run_until([this] { return std::filesystem::exists(tokens_->path("web")); }, 1min);
        host_->start_units();
        clock_.run_until([] { return false; }, 5s);
    }

    bool run_until_state(const std::string& state, Milliseconds limit = 1h) {
        return clock_.run_until([&] { return agent_->status().state == state; }, limit);
    }

    int restarts() const {
        int count = 0;
        for (const auto& [name, unit] : host_->units) count += unit.restarts;
        return count;
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    std::string directory_;
    TunnelPolicy policy_;
    std::unique_ptr<StateStore> states_;
    std::unique_ptr<TokenStore> tokens_;
    std::unique_ptr<Random> random_ = make_random();
    std::unique_ptr<FakeHost> host_;
    RecordingLog log_;
    std::unique_ptr<TunnelAgent> agent_;
    boost::asio::cancellation_signal stop_;
    bool running_ = false;
    int changes_ = 0;
};

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
    ASSERT_TRUE(agent_->request_rotation({"spring cleaning", false}));
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
    policy_.rotate.every = std::chrono::days{30};
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
    policy_.rotate.every = std::chrono::days{30};
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
    EXPECT_EQ(agent_->request_retry().error().fault, Fault::conflict);
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

    ASSERT_TRUE(agent_->request_retry());
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
