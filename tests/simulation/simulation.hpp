#pragma once

#include "rotation/rotation.hpp"
#include "simulation/statistics.hpp"
#include "simulation/tunnel_model.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// When an event happened: on both clocks, and in which boot of the host.
struct Moment {
    BootTime now;
    WallTime wall;
    int boot = 1;
};

/// What a run consists of, besides its seed.
struct Scenario {
    std::vector<TunnelPolicy> tunnels;
    FaultPlan faults;
    int rotations_per_tunnel = 1;
    double moves = 0;  ///< How many of them only move units onto the token file or off it.
    std::vector<std::uint64_t> kill_at;  ///< keyturnd is also killed at these crash points.
    std::function<void(const std::string& line)> tell;        ///< Takes the story, for a person.
    std::function<void(const Event&, const Moment&)> record;  ///< Takes the events of the journal.

    /// Draws everything: one tunnel or many, few units or many, any faults.
    [[nodiscard]] static Scenario draw(Dice& dice);
};

/// One run: keyturnd with the real heart for every tunnel, in a virtual-time world where everything
/// can go wrong. First comes a storm, then quiet, in which everything must recover.
class Simulation {
  public:
    Simulation(std::uint64_t seed, Scenario scenario);
    Simulation(const Simulation&) = delete;
    Simulation& operator=(const Simulation&) = delete;

    /// Throws `Violation`.
    void run();

    [[nodiscard]] const Statistics& statistics() const { return statistics_; }
    /// How many crash points the run has passed.
    [[nodiscard]] std::uint64_t crash_points() const { return crash_points_; }

  private:
    struct Tunnel {
        Tunnel(TunnelPolicy policy, Shared& shared, BootTime now)
            : model(std::move(policy), shared, now) {}

        TunnelModel model;
        std::unique_ptr<Rotation> rotation;
        BootTime due{};  ///< When its next step comes.
        int rotations_left = 0;
        BootTime retry_at = BootTime::max();
        BootTime foreign_at = BootTime::max();
        BootTime pause_at = BootTime::max();
        BootTime resume_at = BootTime::max();
        BootTime revert_at = BootTime::max();
        BootTime compromise_at = BootTime::max();
        BootTime rotate_at{};  ///< When the next rotation is wanted.
        BootTime looked_at{};  ///< When the token was last seen unchanged.
        std::vector<BootTime> taken_over;
        std::uint64_t faults_at_start = 0;
        bool accept_gap = false;
        bool committed = false;
        bool from_backup = false;  ///< Its open record was restored from a backup.
        bool unsure = false;       ///< Its state was lost, so its units' tokens are unknown.
    };

    void run_to_the_end();
    void step(Tunnel& tunnel);
    void meddle(Tunnel& tunnel);
    void set_paused(Tunnel& tunnel, bool paused);
    void begin_compromise(Tunnel& tunnel, bool evict_all);
    void begin(Tunnel& tunnel, RotationInputs inputs);
    void idle(Tunnel& tunnel);
    void begin_new(Tunnel& tunnel);
    void begin_move(Tunnel& tunnel);
    void call_off(Tunnel& tunnel);
    void begin_take_over(Tunnel& tunnel);
    void retry(Tunnel& tunnel);
    void perform(Tunnel& tunnel);
    void take_events(Tunnel& tunnel);
    void record(const Event& event);
    void record_start();
    void record_retry(const Tunnel& tunnel);
    void record_pause(const Tunnel& tunnel, bool paused);
    void conclude(Tunnel& tunnel);
    void plan_next(Tunnel& tunnel);
    void start_daemon();
    void kill_daemon(Milliseconds away);
    void reboot();
    void lose_state();
    void pass_crash_point(Phase phase, bool before);
    void fall_silent();
    void disturb();
    [[nodiscard]] bool settled() const;
    [[nodiscard]] bool storm_is_over() const;
    [[nodiscard]] BootTime next_moment() const;
    [[nodiscard]] WallTime wall_now() const;
    void tell(std::string line);

    Dice dice_;
    Scenario scenario_;
    FaultPlan plan_;
    Statistics statistics_;
    Chance chance_{dice_, plan_, statistics_.faults};
    Shared shared_;
    BootTime now_{std::chrono::hours{1}};
    Milliseconds wall_offset_{0};
    std::list<Tunnel> tunnels_;
    int boot_ = 1;
    bool daemon_up_ = true;
    BootTime daemon_back_ = BootTime::max();
    BootTime reboot_at_ = BootTime::max();
    BootTime state_lost_at_ = BootTime::max();
    BootTime clock_step_at_ = BootTime::max();
    BootTime storm_ends_{};  ///< From then on nothing goes wrong.
    bool quiet_ = false;
    std::uint64_t crash_points_ = 0;
};

}  // namespace keyturn::simulation
