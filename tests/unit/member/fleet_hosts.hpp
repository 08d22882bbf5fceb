#pragma once

#include "cloudflare/api_budget.hpp"
#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/fake_object.hpp"
#include "fakes/matchers.hpp"
#include "fakes/recording_log.hpp"
#include "fakes/sandbox.hpp"
#include "fakes/shared_cloud.hpp"
#include "fakes/small_fleet.hpp"
#include "member/fleet_place.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <memory>

namespace keyturn {

/// One host of a fleet with its place in it, its files and its unit `a`.
class FleetHost {
  public:
    FleetHost(boost::asio::io_context& context, SimulatedClock& clock, SharedCloud& cloud,
              FakeObject& object, int number)
        : context_(context),
          clock_(clock),
          cloud_(cloud),
          object_(object),
          name(sample_host(number)) {
        units.next_id = number * 100;
        policy.credential = "cloudflare";
        policy.rollout.soak = 30s;
        policy.rollout.soak_min = 30s;
        entry.eligible = number <= 2;
        entry.keys = {"k1"};
        entry.version = "0.9";
        entry.min_available = 1;
        cloud.hosts.push_back(&units);
    }
    FleetHost(const FleetHost&) = delete;
    FleetHost& operator=(const FleetHost&) = delete;
    ~FleetHost() { stop(); }

    /// keyturnd starts.
    void start() {
        const Dependencies world{clock_,   cloud_,  units,    units,
                                 *tokens_, *states, *random_, budget_};
        place = std::make_unique<FleetPlace>(
            context_.get_executor(), policy, 0.0, world, log, [](const ManagedTunnel&) {}, memory,
            FleetTimes(), [this] { return parts(); });
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

    /// What a person types on this host.
    Result<std::string> type(FleetCommand command) {
        std::optional<Result<std::string>> told;
        auto ended = [](const std::exception_ptr& why) { EXPECT_FALSE(why); };
        boost::asio::co_spawn(context_, keep(place->administer(std::move(command)), &told),
                              std::move(ended));
        clock_.run_until([&] { return told.has_value(); }, 1min);
        EXPECT_TRUE(told);
        return told ? std::move(*told) : Result<std::string>(no_answer);
    }
    Result<std::string> type(FleetCommand::Kind kind, const std::string& host = {}) {
        return type(FleetCommand{kind, host, 0});
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

  private:
    Result<FleetParts> parts() {
        if (broken) return *broken;
        auto memories = memory.load("web");
        if (!memories) return memories.error();
        const std::shared_ptr<SharedObject> object(std::shared_ptr<void>(), &object_);
        return FleetParts{object, fleet_keys(), std::move(*memories), FleetSelf{{}, entry}};
    }

    static Task<> keep(Task<Result<std::string>> call, std::optional<Result<std::string>>* told) {
        auto result = co_await std::move(call);
        told->emplace(std::move(result));
    }

    boost::asio::io_context& context_;
    SimulatedClock& clock_;
    SharedCloud& cloud_;
    FakeObject& object_;
    testing_files::Sandbox directory_{testing_files::Medium::memory};
    std::unique_ptr<TokenStore> tokens_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    ApiBudget budget_;
    boost::asio::cancellation_signal stop_;
    bool running_ = false;

  public:
    std::string name;
    TunnelPolicy policy = web_policy({a});
    FleetMember entry;
    FakeFleetMemory memory;
    FakeHost units{clock_, policy, directory_ / "tokens/web"};
    std::unique_ptr<StateStore> states = *make_state_store(directory_.path());
    RecordingLog log;
    std::optional<Error> broken;  ///< Why this host cannot take its place.
    std::unique_ptr<FleetPlace> place;
};

/// Hosts that share an object and a tunnel, in simulated time.
class FleetHostsTest : public testing::Test {
  protected:
    FleetHostsTest() {
        for (FleetHost* host : {&first_, &second_}) host->start();
    }

    bool run_until(const std::function<bool()>& there, Milliseconds limit = 1h) {
        return clock_.run_until(there, limit);
    }
    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    /// A fleet of both hosts, whose units serve.
    void make_fleet() {
        ASSERT_TRUE(first_.type(FleetCommand::Kind::init, "host-1"));
        ASSERT_TRUE(second_.type(FleetCommand::Kind::join, "host-2"));
        ASSERT_TRUE(run_until([this] { return first_.file() != "" && second_.file() != ""; }));
        for (FleetHost* host : {&first_, &second_}) host->units.start_units();
        pass(3min);
    }

    [[nodiscard]] FleetDocument document() const { return object_.document(); }

    bool run_until_phase(Phase phase) {
        return run_until([this, phase] {
            const auto rotation = document().state.rotation;
            return rotation && rotation->phase == phase;
        });
    }
    bool run_until_held() {
        return run_until([this] {
            const auto rotation = document().state.rotation;
            return rotation && rotation->hold;
        });
    }
    /// Runs until a rotation has ended, on every host.
    bool run_until_done(std::size_t rotations = 1) {
        return run_until([this, rotations] {
            return !document().state.rotation && first_.history().size() == rotations &&
                   second_.history().size() == rotations;
        });
    }

    [[nodiscard]] int restarts() { return first_.unit().restarts + second_.unit().restarts; }

    void expect_all_on_the_token_of_cloudflare() {
        for (FleetHost* host : {&first_, &second_}) {
            EXPECT_EQ(host->file(), host->units.api_token_text()) << host->name;
            EXPECT_EQ(host->unit().token, host->file()) << host->name;
            EXPECT_TRUE(host->unit().connected) << host->name;
        }
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    FakeObject object_{clock_};
    SharedCloud cloud_;
    FleetHost first_{context_, clock_, cloud_, object_, 1};
    FleetHost second_{context_, clock_, cloud_, object_, 2};
};

}  // namespace keyturn
