#pragma once

#include "fakes/fake_object.hpp"
#include "fakes/placed_host.hpp"
#include "fakes/small_fleet.hpp"
#include "member/fleet_place.hpp"

#include <memory>

namespace keyturn {

/// One host of a fleet with its place in it.
class FleetHost final : public PlacedHost<FleetPlace> {
  public:
    FleetHost(boost::asio::io_context& context, SimulatedClock& clock, SharedCloud& cloud,
              FakeObject& object, int number)
        : PlacedHost(context, clock, cloud, number, sample_host(number)), object_(object) {
        entry.eligible = number <= 2;
        entry.keys = {"k1"};
        entry.version = "0.9";
        entry.min_available = 1;
    }
    FleetHost(const FleetHost&) = delete;
    FleetHost& operator=(const FleetHost&) = delete;
    ~FleetHost() override { stop(); }

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

    FleetMember entry;
    FakeFleetMemory memory;
    std::optional<Error> broken;  ///< Why this host cannot take its place.

  private:
    std::unique_ptr<FleetPlace> make_place(const Dependencies& world) override {
        return std::make_unique<FleetPlace>(
            context_.get_executor(), policy, 0.0, world, log, [](const ManagedTunnel&) {}, memory,
            FleetTimes(), [this] { return parts(); });
    }

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

    FakeObject& object_;
};

/// Hosts that share an object and a tunnel, in simulated time.
class FleetHostsTest : public PlacedHostsTest {
  protected:
    FleetHostsTest() {
        for (FleetHost* host : {&first_, &second_}) host->start();
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

    FakeObject object_{clock_};
    FleetHost first_{context_, clock_, cloud_, object_, 1};
    FleetHost second_{context_, clock_, cloud_, object_, 2};
};

/// A whole fleet: two hosts with the real heart, shell, follower and files.
class FleetTunnelTest : public FleetHostsTest {
  protected:
    FleetTunnelTest() { second_.entry.eligible = false; }

    /// Typed on the host that cannot lead.
    void request(const RotationRequest& request = {}) {
        const Result<void> accepted = second_.place->request_rotation(request);
        ASSERT_TRUE(accepted) << accepted.error().text;
    }
    void decide(Decision decision) {
        const Result<void> accepted = second_.place->decide(decision);
        ASSERT_TRUE(accepted) << accepted.error().text;
    }

    /// A rotation is held, because the unit of host-2 did not come back.
    void come_to_a_hold() {
        make_fleet();
        second_.unit().ignores_starts = true;
        request();
        ASSERT_TRUE(run_until_held());
        ASSERT_EQ(document().state.rotation->hold->unit, unit_of(2));
    }

    /// Systemd starts the unit once its fault is gone.
    void repair() {
        second_.unit().ignores_starts = false;
        second_.units.restart_by_hand(second_.unit());
    }
};

}  // namespace keyturn
