#pragma once

#include "fakes/placed_host.hpp"
#include "waves/wave_memory.hpp"
#include "waves/wave_place.hpp"

#include <array>
#include <memory>

namespace keyturn {

/// One host of a tunnel without a store.
class WaveHost final : public PlacedHost<WavePlace> {
  public:
    WaveHost(boost::asio::io_context& context, SimulatedClock& clock, SharedCloud& cloud,
             int number, int hosts)
        : PlacedHost(context, clock, cloud, number, name_of_host(number)) {
        units.address = address_of(number);
        policy.rollout.surge = SurgeUse::never;
        Coordinator& coordinator = policy.coordinator.emplace();
        coordinator.kind = CoordinatorKind::api;
        for (int i = 1; i <= hosts; ++i) {
            coordinator.hosts.push_back({name_of_host(i), address_of(i), "", 1});
        }
    }
    WaveHost(const WaveHost&) = delete;
    WaveHost& operator=(const WaveHost&) = delete;
    ~WaveHost() override { stop(); }

    [[nodiscard]] bool up_to_date() {
        return file() == units.api_token_text() && unit().token == file() && unit().connected &&
               place->status().state == "idle";
    }

  private:
    static std::string name_of_host(int number) { return "host-" + std::to_string(number); }
    static std::string address_of(int number) { return "192.0.2." + std::to_string(number); }

    std::unique_ptr<WavePlace> make_place(const Dependencies& world) override {
        return take_place_in_waves(
            context_.get_executor(), policy, 0.0, world, log, [](const ManagedTunnel&) {}, *memory_,
            WaveTimes(), name);
    }

    std::unique_ptr<WaveMemory> memory_ = make_wave_memory(directory_.path());
};

/// Three hosts that share nothing but a tunnel, in simulated time.
class WaveHostsTest : public PlacedHostsTest {
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

    WaveHost first_{context_, clock_, cloud_, 1, count};
    WaveHost second_{context_, clock_, cloud_, 2, count};
    WaveHost third_{context_, clock_, cloud_, 3, count};
    std::array<WaveHost*, count> hosts_{&first_, &second_, &third_};
};

}  // namespace keyturn
