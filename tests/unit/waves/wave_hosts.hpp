#pragma once

#include "cloudflare/api_budget.hpp"
#include "delivery/token_store.hpp"
#include "fakes/matchers.hpp"
#include "fakes/recording_log.hpp"
#include "fakes/sandbox.hpp"
#include "fakes/shared_cloud.hpp"
#include "fakes/web_tunnel.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"
#include "waves/wave_memory.hpp"
#include "waves/wave_place.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <array>
#include <memory>

namespace keyturn {

inline std::string wave_host(int number) {
    return "host-" + std::to_string(number);
}

inline std::string wave_address(int number) {
    return "192.0.2." + std::to_string(number);
}

/// The policy of all hosts of a tunnel with one unit on each of them.
inline TunnelPolicy wave_policy(int hosts) {
    TunnelPolicy policy = web_policy({a});
    policy.credential = "cloudflare";
    policy.rollout.soak = 30s;
    policy.rollout.soak_min = 30s;
    policy.rollout.surge = SurgeUse::never;
    Coordinator& coordinator = policy.coordinator.emplace();
    coordinator.kind = CoordinatorKind::api;
    for (int i = 1; i <= hosts; ++i) {
        coordinator.hosts.push_back({wave_host(i), wave_address(i), "", 1});
    }
    return policy;
}

/// One host of a tunnel without a store: keyturnd as it ships, its files and its unit `a`.
class WaveHost {
  public:
    WaveHost(boost::asio::io_context& context, SimulatedClock& clock, SharedCloud& cloud,
             int number, int hosts)
        : context_(context),
          clock_(clock),
          cloud_(cloud),
          name(wave_host(number)),
          policy(wave_policy(hosts)) {
        units.next_id = number * 100;
        units.address = wave_address(number);
        cloud.hosts.push_back(&units);
    }
    WaveHost(const WaveHost&) = delete;
    WaveHost& operator=(const WaveHost&) = delete;
    ~WaveHost() { stop(); }

    /// keyturnd starts.
    void start() {
        const Dependencies world{clock_,   cloud_,  units,    units,
                                 *tokens_, *states, *random_, budget_};
        place = take_place_in_waves(
            context_.get_executor(), policy, 0.0, world, log, [](const ManagedTunnel&) {}, *memory,
            WaveTimes(), name);
        place->load();
        running_ = true;
        boost::asio::co_spawn(
            context_, place->run(),
            boost::asio::bind_cancellation_slot(
                stop_.slot(), [this](const std::exception_ptr&) { running_ = false; }));
    }

    /// keyturnd dies. Everything on the disk and the unit stay.
    void stop() {
        if (!running_) return;
        stop_.emit(boost::asio::cancellation_type::terminal);
        clock_.run_until([this] { return !running_; }, 0ms);
        EXPECT_FALSE(running_);
        place.reset();
    }

    FakeHost::Unit& unit() { return units.units.at(a); }

    [[nodiscard]] std::string file() const {
        const auto token = tokens_->current("web");
        return token && *token ? std::string((*token)->reveal()) : "";
    }
    /// What is wrong here, in lines; empty if all is well.
    [[nodiscard]] std::string findings() const {
        std::string text;
        for (const std::string& finding : place->status().findings) text += finding + "\n";
        return text;
    }
    [[nodiscard]] bool up_to_date() {
        return file() == units.api_token_text() && unit().token == file() && unit().connected &&
               place->status().state == "idle";
    }

  private:
    boost::asio::io_context& context_;
    SimulatedClock& clock_;
    SharedCloud& cloud_;
    testing_files::Sandbox directory_{testing_files::Medium::memory};
    std::unique_ptr<TokenStore> tokens_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    ApiBudget budget_;
    boost::asio::cancellation_signal stop_;
    bool running_ = false;

  public:
    std::string name;
    TunnelPolicy policy;
    FakeHost units{clock_, policy, directory_ / "tokens/web"};
    std::unique_ptr<StateStore> states = *make_state_store(directory_.path());
    std::unique_ptr<WaveMemory> memory = make_wave_memory(directory_.path());
    RecordingLog log;
    std::unique_ptr<WavePlace> place;
};

/// Three hosts that share nothing but a tunnel, in simulated time.
class WaveHostsTest : public testing::Test {
  protected:
    static constexpr int count = 3;

    /// Every host has its token file, and its unit serves.
    void start_serving() {
        for (WaveHost* host : hosts_) host->start();
        ASSERT_TRUE(run_until([this] {
            return std::ranges::all_of(hosts_, [](WaveHost* host) { return host->file() != ""; });
        }));
        for (WaveHost* host : hosts_) host->units.start_units();
        pass(16min);
    }

    bool run_until(const std::function<bool()>& there, Milliseconds limit = 1h) {
        return clock_.run_until(there, limit);
    }
    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    void rotate(RotationRequest request = {}) {
        const Result<void> accepted = first_.place->request_rotation(std::move(request));
        ASSERT_TRUE(accepted) << accepted.error().text;
    }

    /// The token has changed, and every host runs on it.
    bool run_until_done(const std::string& before, Milliseconds limit = 3h) {
        return run_until(
            [&] {
                return first_.units.api_token_text() != before &&
                       std::ranges::all_of(hosts_,
                                           [](WaveHost* host) { return host->up_to_date(); });
            },
            limit);
    }

    bool run_until_held(WaveHost& host, Milliseconds limit = 5h) {
        return run_until([&] { return host.place->status().state == "held"; }, limit);
    }

    [[nodiscard]] std::array<int, count> restarts() const {
        return {first_.units.units.at(a).restarts, second_.units.units.at(a).restarts,
                third_.units.units.at(a).restarts};
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    SharedCloud cloud_;
    WaveHost first_{context_, clock_, cloud_, 1, count};
    WaveHost second_{context_, clock_, cloud_, 2, count};
    WaveHost third_{context_, clock_, cloud_, 3, count};
    std::array<WaveHost*, count> hosts_{&first_, &second_, &third_};
};

}  // namespace keyturn
