#pragma once

#include "cloudflare/api_budget.hpp"
#include "fakes/web_tunnel.hpp"
#include "fleet/times.hpp"
#include "journal/event_log.hpp"
#include "member/fleet_tunnel.hpp"
#include "simulation/fleet/cloud_model.hpp"
#include "simulation/fleet/disk.hpp"
#include "simulation/fleet/local_units.hpp"
#include "simulation/fleet/store_model.hpp"
#include "simulation/fleet/unit_model.hpp"
#include "simulation/fleet/world.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::fleet_simulation {

/// What a host calls.
enum class Server { store, cloud };

/// What a call or an action changes.
enum class Effect { none, store_write, patch, evict, restart, token_file, memory };

class Invariants;

/// What all hosts share.
struct Surroundings {
    World& world;
    StoreModel& store;
    CloudModel& cloud;
    const std::string& keys;  ///< The text of the fleet keys.
    Invariants& invariants;
};

/// The clocks of a host whose keyturnd can be stopped (SIGSTOP) and die.
class HostClock final : public Clock {
  public:
    explicit HostClock(const class Host& host) : host_(host) {}

    WallTime wall_now() const override;
    BootTime boot_now() const override;
    std::chrono::microseconds stopwatch() const override;
    Task<> sleep_until(BootTime when) override;
    Task<> wall_clock_set() override;

  private:
    const Host& host_;
};

/// One host: its disk, its units and its keyturnd, which dies and comes back. What it does is done
/// by the code that ships.
class Host {
  public:
    Host(Surroundings surroundings, std::string name, int number, bool eligible);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    ~Host();

    // What happens to it.
    void start_keyturnd();
    /// At this moment keyturnd does nothing more. It is buried, and comes back, a little later.
    void die(Milliseconds away);
    void stop_for(Milliseconds time);  ///< SIGSTOP, and SIGCONT later.
    void cut_power();
    void power_up();
    /// For ever.
    void lose();

    /// What a host can be.
    [[nodiscard]] bool alive() const { return tunnel_ && !dead_; }
    [[nodiscard]] bool lost() const { return lost_; }
    [[nodiscard]] bool stopped() const { return world().now() < stopped_until_; }

    // What it consists of.
    [[nodiscard]] World& world() const { return surroundings_.world; }
    [[nodiscard]] StoreModel& store() const { return surroundings_.store; }
    [[nodiscard]] CloudModel& cloud() const { return surroundings_.cloud; }
    [[nodiscard]] Invariants& invariants() const { return surroundings_.invariants; }
    [[nodiscard]] HostClock& clock() { return clock_; }
    [[nodiscard]] const std::string& name() const { return disk.memory.host; }
    [[nodiscard]] const std::string& label() const { return label_; }
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] FleetTunnel& tunnel() { return *tunnel_; }
    [[nodiscard]] FleetMember entry() const;
    [[nodiscard]] bool eligible() const { return eligible_; }
    UnitModel* find(const std::string& unit);

    // Called by its parts.
    /// Calls a server: the request may arrive late, twice or never, and so may the answer.
    template <class Answer>
    Task<Answer> call(Server server, std::function<Answer()> act, Effect effect);
    /// Kills keyturnd before or after an effect, now and then. False: it does not happen.
    [[nodiscard]] bool survives_until(Effect effect);
    void may_die_after(Effect effect);
    void job_ended(const std::string& unit);
    void units_changed();
    void sends_secret(const Fingerprint& token);
    void restarts(UnitModel& unit);
    void replaces_file(const Fingerprint& before, const Fingerprint& token);
    Task<> never();

    Disk disk;
    std::vector<std::unique_ptr<UnitModel>> units;
    std::array<BootTime, 2> cut_until{};  ///< By `Server`.
    BootTime asked_in_vain{};             ///< When Cloudflare last did not answer this host.
    BootTime away_until{};
    double deadliness = 0;  ///< How probable it is to die at each effect.
    int min_available = 1;
    Milliseconds clock_error{0};  ///< Of its wall clock.

  private:
    friend class HostClock;

    /// How a call goes.
    struct Trip {
        std::optional<BootTime> arrives;
        std::optional<BootTime> again;
        BootTime answered{};
        std::optional<Error> failure;
    };
    [[nodiscard]] Trip plan(Server server, Effect effect);
    [[nodiscard]] Trip trip_to(Server server, Effect effect);
    void make_worse(Trip& trip, Server server, Effect effect);
    void send(BootTime arrives, Effect effect, std::function<void()> act);
    void bury();
    [[nodiscard]] FleetSetup setup();

    struct Log final : EventLog {
        explicit Log(Host& host) : host_(host) {}
        void record(const Event& event) override;
        Host& host_;
    };

    Surroundings surroundings_;
    std::string label_;
    std::string address_;
    bool eligible_;
    HostClock clock_{*this};
    StoreHandle unused_store_{*this};
    CloudHandle api_{*this};
    LocalUnits local_{*this};
    DiskTokens tokens_{*this};
    DiskStates states_{*this};
    DiskMemory memory_{*this};
    std::unique_ptr<Random> random_;
    std::unique_ptr<ApiBudget> budget_;
    Log log_{*this};
    TunnelPolicy policy_;
    std::unique_ptr<FleetTunnel> tunnel_;
    boost::asio::cancellation_signal stop_;
    bool running_ = false;
    bool dead_ = true;
    bool lost_ = false;
    std::uint64_t incarnation_ = 0;
    BootTime stopped_until_{};
};

template <class Answer>
Task<Answer> Host::call(Server server, std::function<Answer()> act, Effect effect) {
    if (dead_) co_await never();
    const Trip trip = plan(server, effect);
    const auto slot = std::make_shared<std::optional<Answer>>();
    if (trip.arrives) {
        send(*trip.arrives, effect, [slot, act] { slot->emplace(act()); });
    }
    if (trip.again) {
        send(*trip.again, effect, [act] { static_cast<void>(act().has_value()); });
    }
    const BootTime answered = trip.answered;
    co_await clock_.sleep_until(answered);
    if (trip.failure) co_return *trip.failure;
    if (!*slot) co_return Error{Fault::unreachable, "no answer", {}};
    co_return std::move(**slot);
}

/// The times of the fleet, shortened in proportion.
[[nodiscard]] FleetTimes simulated_times();

}  // namespace keyturn::fleet_simulation
