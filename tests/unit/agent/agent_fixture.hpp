#pragma once

#include "agent/tunnel_agent.hpp"
#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/simulated_clock.hpp"
#include "integration/files/sandbox.hpp"
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

using namespace std::chrono_literals;

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
        std::string pattern =
            testing_files::directory_on(testing_files::Medium::memory) + "keyturn-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        policy_.name = "web";
        policy_.account = "699d98642c564d2e855e9661899b7252";
        policy_.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
        policy_.units = {"cloudflared-web@1.service", "cloudflared-web@2.service"};
        policy_.drift.units_interval = policy_.drift.interval;  // Months pass in some tests.
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
        const Dependencies world{clock_,   *host_,   *host_,   *host_,
                                 *tokens_, *states_, *random_, budget_};
        agent_ = std::make_unique<TunnelAgent>(context_.get_executor(), policy_, 0.0, world, log_,
                                               [this](const TunnelAgent&) { ++changes_; });
        agent_->load();
        auto ended = [this](std::exception_ptr) { running_ = false; };
        running_ = true;
        boost::asio::co_spawn(context_, agent_->run(),
                              boost::asio::bind_cancellation_slot(stop_.slot(), ended));
        boost::asio::co_spawn(
            context_, heed_the_clock(),
            boost::asio::bind_cancellation_slot(stop_clock_.slot(), [](std::exception_ptr) {}));
    }

    /// Tells the agent when the wall clock is set, as the daemon does.
    Task<> heed_the_clock() {
        for (;;) {
            co_await clock_.wall_clock_set();
            agent_->wall_clock_set();
        }
    }

    /// Ends it as SIGTERM does; what is on disk stays.
    void stop() {
        if (!running_) return;
        stop_.emit(boost::asio::cancellation_type::terminal);
        stop_clock_.emit(boost::asio::cancellation_type::terminal);
        clock_.run_until([this] { return !running_; }, 0ms);
        EXPECT_FALSE(running_) << "cancelling ends the agent at once";
    }

    /// Lets this much time pass.
    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
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

    bool file_holds_the_api_token() {
        return (*tokens_->current("web"))->reveal() == host_->api_token_text();
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
    ApiBudget budget_;
    RecordingLog log_;
    std::unique_ptr<TunnelAgent> agent_;
    boost::asio::cancellation_signal stop_;
    boost::asio::cancellation_signal stop_clock_;
    bool running_ = false;
    int changes_ = 0;
};

}  // namespace keyturn
