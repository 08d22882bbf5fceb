#pragma once

#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/matchers.hpp"
#include "fakes/recording_log.hpp"
#include "fakes/running_agent.hpp"
#include "fakes/samples.hpp"
#include "fakes/sandbox.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"

#include <filesystem>
#include <functional>

namespace keyturn {

/// A whole daemon for one tunnel in simulated time: the real heart, shell, token files and state.
class TunnelAgentTest : public testing::Test {
  protected:
    TunnelAgentTest() {
        policy_.drift.units_interval = policy_.drift.interval;  // Months pass in some tests.
    }

    ~TunnelAgentTest() override { stop(); }

    /// Starts the agent, as the daemon does at its own start.
    void start() {
        const Dependencies world{clock_,   *host_,   *host_,   *host_,
                                 *tokens_, *states_, *random_, budget_};
        agent_.start(policy_, 0.0, world, log_, [this](const TunnelAgent&) { ++changes_; });
    }

    /// Stops the agent as SIGTERM does. The files on disk stay.
    void stop() {
        agent_.stop();
        EXPECT_FALSE(agent_.running()) << "cancelling ends the agent at once";
    }

    void restart() {
        stop();
        start();
    }

    /// Another process opens the state: the one before has ended.
    void reopen_state() {
        states_.reset();
        states_ = *make_state_store(directory_.path());
    }

    /// Lets this much time pass.
    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    /// Starts the agent with a token file and both units serving.
    void start_serving() {
        start();
        ASSERT_TRUE(run_until_state("idle"));
        clock_.run_until([this] { return std::filesystem::exists(token_file()); }, 1min);
        host_->start_units();
        pass(5s);
    }

    [[nodiscard]] TunnelStatus status() const { return agent_->status(); }

    bool run_until(const std::function<bool()>& there, Milliseconds limit = 1h) {
        return clock_.run_until(there, limit);
    }

    bool run_until_state(const std::string& state, Milliseconds limit = 1h) {
        return run_until([&] { return status().state == state; }, limit);
    }

    bool run_until_soak(Milliseconds limit = 5min) {
        return run_until([&] { return status().phase == "soak"; }, limit);
    }

    void request(const RotationRequest& rotation = {}) {
        const Result<void> accepted = agent_->request_rotation(rotation);
        ASSERT_TRUE(accepted) << accepted.error().text;
    }

    void decide(Decision decision) {
        const Result<void> accepted = agent_->decide(decision);
        ASSERT_TRUE(accepted) << accepted.error().text;
    }

    /// A whole rotation, to its end.
    void rotate(const RotationRequest& rotation = {}) {
        request(rotation);
        ASSERT_TRUE(run_until_state("running"));
        ASSERT_TRUE(run_until_state("idle"));
    }

    /// A rotation whose first unit has been restarted.
    void come_to_the_soak() {
        start_serving();
        request();
        ASSERT_TRUE(run_until_soak());
    }

    [[nodiscard]] std::string token_file() const { return tokens_->path("web"); }

    bool file_holds_the_api_token() {
        return (*tokens_->current("web"))->reveal() == host_->api_token_text();
    }

    [[nodiscard]] bool keeps_secrets() const { return tokens_->pending("web")->has_value(); }

    FakeHost::Unit& first() { return host_->units.at(a); }
    FakeHost::Unit& second() { return host_->units.at(b); }

    int restarts() const {
        int count = 0;
        for (const auto& [name, unit] : host_->units) count += unit.restarts;
        return count;
    }

    void expect_all_connected() const {
        for (const auto& [name, unit] : host_->units) EXPECT_TRUE(unit.connected) << name;
    }

    [[nodiscard]] bool told(EventKind kind) const { return log_.told(kind); }
    [[nodiscard]] std::size_t count(EventKind kind) const { return log_.count(kind); }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    testing_files::Sandbox directory_{testing_files::Medium::memory};
    TunnelPolicy policy_ = web_policy();
    std::unique_ptr<StateStore> states_ = *make_state_store(directory_.path());
    std::unique_ptr<TokenStore> tokens_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    std::unique_ptr<FakeHost> host_ = std::make_unique<FakeHost>(clock_, policy_, token_file());
    ApiBudget budget_;
    RecordingLog log_;
    int changes_ = 0;
    RunningAgent agent_{context_, clock_};
};

inline const Error no_write{Fault::denied, "the API token lacks Write", {}};

}  // namespace keyturn
