#pragma once

#include "cloudflare/budgeted_api.hpp"
#include "unit/agent/agent_fixture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>

namespace keyturn {

/// The calls of the API by all tunnels.
struct ApiCalls {
    struct Made {
        BootTime when;
        std::string tunnel;
        std::string name;
    };

    /// The largest number of calls in any five minutes from `since` on.
    [[nodiscard]] std::size_t most_in_five_minutes(BootTime since = {}) const {
        std::size_t most = 0;
        for (std::size_t first = 0, last = 0; last < made.size(); ++last) {
            while (made[first].when < since || made[last].when - made[first].when >= 5min) {
                if (++first > last) break;
            }
            most = std::max(most, last + 1 - std::min(first, last + 1));
        }
        return most;
    }

    std::vector<Made> made;
};

/// The Cloudflare API as one tunnel sees it.
class CountedApi final : public TunnelApi {
  public:
    CountedApi(FakeHost& host, ApiCalls& calls, const Clock& clock)
        : host_(host), calls_(calls), clock_(clock) {}

    Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) override {
        count(tunnel, "GET tunnel");
        return host_.get_tunnel(std::move(tunnel));
    }
    Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) override {
        count(tunnel, "GET token");
        return host_.get_token(std::move(tunnel));
    }
    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                     const Secret& secret) override {
        count(tunnel, "PATCH");
        return host_.patch_secret(std::move(tunnel), secret);
    }
    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) override {
        count(tunnel, "GET connections");
        return host_.list_connectors(std::move(tunnel));
    }
    Task<Result<void>> evict(TunnelRef tunnel, std::string connector) override {
        count(tunnel, "DELETE connections");
        return host_.evict(std::move(tunnel), std::move(connector));
    }
    void close_idle() override { host_.close_idle(); }

  private:
    void count(const TunnelRef& tunnel, std::string name) {
        calls_.made.push_back({clock_.boot_now(), tunnel.tunnel, std::move(name)});
    }

    FakeHost& host_;
    ApiCalls& calls_;
    const Clock& clock_;
};

/// A whole daemon for many tunnels in simulated time, with one budget.
class ManyAgents : public testing::Test {
  protected:
    struct Tunnel {
        Tunnel(boost::asio::io_context& context, SimulatedClock& clock) : agent(context, clock) {}

        TunnelPolicy policy;
        std::unique_ptr<FakeHost> host;
        std::unique_ptr<TunnelApi> api;
        RunningAgent agent;
    };

    ~ManyAgents() override {
        for (Tunnel& tunnel : tunnels_) {
            tunnel.agent.stop();
            EXPECT_FALSE(tunnel.agent.running());
        }
    }

    /// Starts the daemon with `count` tunnels. `files`: their token files are there already, and
    /// their units serve.
    void start(int count, const TunnelPolicy& common = {}, bool files = true) {
        for (int i = 0; i < count; ++i) {
            Tunnel& tunnel = tunnels_.emplace_back(context_, clock_);
            tunnel.policy = common;
            tunnel.policy.name = fmt::format("tunnel-{}", i);
            tunnel.policy.credential = "main";
            // Checks of the units alone make no API call, and hours pass in these tests.
            tunnel.policy.drift.units_interval = tunnel.policy.drift.interval;
            tunnel.policy.account = account_id;
            tunnel.policy.tunnel = fmt::format("f70ff985-a4ef-4643-bbbc-{:012}", i);
            for (const int unit : {1, 2}) {
                tunnel.policy.units.push_back(fmt::format("cloudflared-{}@{}.service", i, unit));
            }
            tunnel.host = std::make_unique<FakeHost>(clock_, tunnel.policy,
                                                     tokens_->path(tunnel.policy.name));
            auto api = std::make_unique<CountedApi>(*tunnel.host, calls_, clock_);
            tunnel.api = make_budgeted_api(std::move(api), "main", budget_, clock_);
            if (files) put_file(tunnel);
            spawn(tunnel);
        }
    }

    void put_file(Tunnel& tunnel) {
        const std::string id(32, '0');
        const Secret token = Secret::copy_of(tunnel.host->api_token_text());
        ASSERT_TRUE(tokens_->stage(tunnel.policy.name, id, token));
        ASSERT_TRUE(tokens_->swap_in(tunnel.policy.name, id));
        tunnel.host->start_units();
    }

    void spawn(Tunnel& tunnel) {
        const Dependencies world{clock_,   *tunnel.api, *tunnel.host, *tunnel.host,
                                 *tokens_, *states_,    *random_,     budget_};
        tunnel.agent.start(tunnel.policy, 0.0, world, log_);
    }

    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    Tunnel& tunnel(int number) { return *std::next(tunnels_.begin(), number); }

    [[nodiscard]] int count_done() const {
        return static_cast<int>(std::ranges::count_if(tunnels_, [](const Tunnel& tunnel) {
            const TunnelStatus status = tunnel.agent->status();
            return status.state == "idle" && status.last_outcome == "done";
        }));
    }

    [[nodiscard]] std::size_t count(EventKind kind) const { return log_.count(kind); }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    testing_files::Sandbox directory_{testing_files::Medium::memory};
    std::unique_ptr<StateStore> states_ = *make_state_store(directory_.path());
    std::unique_ptr<TokenStore> tokens_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    RecordingLog log_;
    ApiBudget budget_;
    ApiCalls calls_;
    std::list<Tunnel> tunnels_;
};

}  // namespace keyturn
