#pragma once

#include "cloudflare/api_budget.hpp"
#include "delivery/token_store.hpp"
#include "executor/rotation_executor.hpp"
#include "fakes/matchers.hpp"
#include "fakes/recording_log.hpp"
#include "fakes/sandbox.hpp"
#include "fakes/shared_cloud.hpp"
#include "fakes/web_tunnel.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <memory>

namespace keyturn {

/// One of several hosts of a tunnel: its keyturnd with its `Place` among them, its files, and its
/// unit `a`.
template <class Place>
class PlacedHost {
  public:
    PlacedHost(boost::asio::io_context& context, SimulatedClock& clock, SharedCloud& cloud,
               int number, std::string host_name)
        : context_(context), clock_(clock), cloud_(cloud), name(std::move(host_name)) {
        units.next_id = number * 100;
        policy.credential = "cloudflare";
        policy.rollout.soak = 30s;
        policy.rollout.soak_min = 30s;
        cloud.hosts.push_back(&units);
    }
    PlacedHost(const PlacedHost&) = delete;
    PlacedHost& operator=(const PlacedHost&) = delete;
    virtual ~PlacedHost() { stop(); }

    /// keyturnd starts.
    void start() {
        place = make_place({clock_, cloud_, units, units, *tokens_, *states, *random_, budget_});
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
    [[nodiscard]] std::vector<HistoryEntry> history() const { return *states->history("web", 10); }

  protected:
    virtual std::unique_ptr<Place> make_place(const Dependencies& world) = 0;

    boost::asio::io_context& context_;
    SimulatedClock& clock_;
    SharedCloud& cloud_;
    testing_files::Sandbox directory_{testing_files::Medium::memory};

  private:
    std::unique_ptr<TokenStore> tokens_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    ApiBudget budget_;
    boost::asio::cancellation_signal stop_;
    bool running_ = false;

  public:
    std::string name;
    TunnelPolicy policy = web_policy({a});
    FakeHost units{clock_, policy, directory_ / "tokens/web"};
    std::unique_ptr<StateStore> states = *make_state_store(directory_.path());
    RecordingLog log;
    std::unique_ptr<Place> place;
};

/// Several hosts of a tunnel in simulated time.
class PlacedHostsTest : public testing::Test {
  protected:
    bool run_until(const std::function<bool()>& there, Milliseconds limit = 1h) {
        return clock_.run_until(there, limit);
    }
    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    SharedCloud cloud_{clock_};
};

}  // namespace keyturn
