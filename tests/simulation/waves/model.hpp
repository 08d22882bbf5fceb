#pragma once

#include "simulation/fleet/run.hpp"
#include "simulation/fleet/world.hpp"
#include "waves/wave_gate.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::wave_simulation {

using fleet_simulation::World;

/// The tunnel at Cloudflare: the token that it has, and what it lists.
class CloudModel {
  public:
    explicit CloudModel(World& world) : world_(world) {}

    /// A new secret; the old token opens no connection any more.
    void change();
    [[nodiscard]] const Fingerprint& token() const { return token_; }
    [[nodiscard]] BootTime changed() const { return changed_; }

    void connect(const Connector& connector);
    /// It is gone, but may be listed a while longer.
    void disconnect(const std::string& id);

    /// The list as it is now, or was some seconds ago.
    std::vector<Connector> list();
    /// Whether a connector was listed for this host lately.
    [[nodiscard]] bool listed_lately(const KnownHost& host) const;

  private:
    struct Entry {
        Connector connector;
        std::optional<BootTime> until;  ///< When it vanishes from the list.
    };
    [[nodiscard]] std::vector<Connector> now();

    World& world_;
    std::uint64_t secrets_ = 1;
    Fingerprint token_ = "token-1";
    BootTime changed_{};
    std::vector<Entry> entries_;
    std::deque<std::pair<BootTime, std::vector<Connector>>> lists_;  ///< The last minute's.
};

/// One host with one unit. Its keyturnd does around the gate that ships what the agent, the heart
/// and the executor do there.
class HostModel {
  public:
    HostModel(World& world, CloudModel& cloud, TunnelPolicy policy, std::size_t own);

    // What happens to it.
    void kill_keyturnd();
    void crash_unit();
    void lose_connections();
    void lose();  ///< For ever.
    void cut_off(Milliseconds time) { cut_until_ = world_.now() + time; }

    // What people do.
    /// Returns whether a rotation has begun.
    bool rotate();
    void retry();
    void take_policy(TunnelPolicy policy, std::size_t own);

    /// What keyturnd does now; called every other second.
    void act();

    [[nodiscard]] bool lost() const { return lost_; }
    [[nodiscard]] bool held() const { return held_; }
    [[nodiscard]] bool serves() const { return unit_.up && unit_.connected; }
    [[nodiscard]] bool idle() const { return !open_; }
    /// keyturnd took it down, and it does not serve again yet.
    [[nodiscard]] bool down_by_keyturn() const { return unit_.restarted && !unit_.up; }
    [[nodiscard]] const Fingerprint& unit_token() const { return unit_.token; }
    [[nodiscard]] const Fingerprint& file() const { return file_; }
    /// It goes on without the proof that the hosts before it have the token.
    [[nodiscard]] bool acknowledged() const { return acknowledged_; }
    /// It learned of a change, and then of another one before it was done; nobody has looked.
    [[nodiscard]] bool overtaken() const { return changes_ > 1; }
    [[nodiscard]] const KnownHost& known() const { return policy_.coordinator->hosts.at(own_); }
    [[nodiscard]] BootTime served_last() const { return served_last_; }
    void note_service();

    /// Called before a unit that serves is restarted in its turn.
    std::function<void(const HostModel&)> restarts;

  private:
    struct Unit {
        bool up = false;
        bool connected = false;
        bool restarted = false;  ///< By keyturnd, while it served.
        Fingerprint token;
        std::string connector;
        std::uint64_t process = 0;
    };

    [[nodiscard]] bool reaches_cloudflare();
    bool look_at_token();
    void deliver(WaveGate::Author author = WaveGate::Author::somebody_else);
    bool learn_of_change(WaveGate::Author author = WaveGate::Author::somebody_else);
    void go_on();
    void start_unit(Milliseconds takes, bool by_keyturn);
    void stop_unit();
    void begin_keyturnd();
    void keep() { disk_ = gate_->memories(); }

    World& world_;
    CloudModel& cloud_;
    TunnelPolicy policy_;
    std::size_t own_;
    WaveMemories disk_;
    std::unique_ptr<WaveGate> gate_;  ///< Empty while keyturnd does not run.
    Unit unit_;
    Fingerprint file_;
    bool open_ = false;
    bool held_ = false;
    bool lost_ = false;
    bool acknowledged_ = false;
    int changes_ = 0;  ///< That keyturnd learned of since it was done, or a person looked.
    BootTime looks_at_{};
    BootTime token_seen_{};
    BootTime cut_until_{};
    BootTime runs_from_{};
    BootTime served_last_{};
};

/// Runs hosts without a store through a storm and the quiet after it. Returns what was violated.
[[nodiscard]] std::optional<std::string> run_waves(std::uint64_t seed, fleet_simulation::Seen& seen,
                                                   fleet_simulation::RunCounts& counts,
                                                   const fleet_simulation::Tell& tell);

}  // namespace keyturn::wave_simulation
