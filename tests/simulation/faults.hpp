#pragma once

#include "simulation/dice.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace keyturn::simulation {

/// What can go wrong, in the order of `fault_names`.
enum class FaultKind {
    api_call,          ///< One call fails: refused, 5xx, 429, nonsense.
    api_denied,        ///< One call is answered with 403.
    api_outage,        ///< Every call fails for a while.
    patch_lost,        ///< The PATCH was sent but no answer came; it may have been applied.
    patch_late,        ///< The same, and it is applied later.
    stale_read,        ///< GET token keeps showing the old token for a while after a PATCH.
    edge_lag,          ///< The edge keeps accepting the old token for a while after a PATCH.
    list_lag,          ///< The list of connectors is behind.
    bus_call,          ///< One call of the bus fails, before or after it took effect.
    bus_outage,        ///< The bus is down for a while.
    ready_silent,      ///< A metrics server does not answer.
    restart_denied,    ///< polkit refuses, in the preflight or for the restart itself.
    polkit_outage,     ///< polkit does not answer systemd for a while.
    start_fails,       ///< A start of a unit fails, and systemd tries again.
    start_limit,       ///< A start of a unit fails for good.
    start_skipped,     ///< A condition fails: the job is `done` but the unit is dead.
    slow_unit,         ///< Stopping and starting take long.
    connection_drop,   ///< The edge drops a connection.
    process_crash,     ///< A connector dies; systemd starts it again.
    operator_stop,     ///< Somebody stops a unit and starts it later.
    operator_restart,  ///< Somebody restarts a unit.
    foreign_rotation,  ///< Somebody else rotates the tunnel.
    foreign_replica,   ///< Somebody else's connector is connected.
    disk_call,         ///< One operation of the disk fails, before or after it took effect.
    disk_full,         ///< Every operation of the disk fails for a while.
    daemon_crash,      ///< keyturnd is killed between any two steps.
    host_reboot,       ///< Everything on the host ends and starts again.
    stall,             ///< keyturnd is stopped for a while in the middle of a step.
    clock_step,        ///< The wall clock jumps.
    operator_pause,    ///< An operator pauses the tunnel and resumes it later.
    operator_revert,   ///< An operator calls a rotation off.
    compromise,        ///< The token is compromised, and an operator says so.
    ready_unknown,     ///< One or all metrics servers cannot be asked for minutes or hours.
    file_changed,      ///< Somebody empties the token file or restores an old token.
    network_outage,    ///< No connector of the host reaches the edge for a while.
    other_source,      ///< A unit now takes its token from another place.
    state_lost,        ///< The state directory is gone, or restored from a backup.
};

inline constexpr std::array<std::string_view, 37> fault_names{
    "api_call",         "api_denied",       "api_outage",      "patch_lost",    "patch_late",
    "stale_read",       "edge_lag",         "list_lag",        "bus_call",      "bus_outage",
    "ready_silent",     "restart_denied",   "polkit_outage",   "start_fails",   "start_limit",
    "start_skipped",    "slow_unit",        "connection_drop", "process_crash", "operator_stop",
    "operator_restart", "foreign_rotation", "foreign_replica", "disk_call",     "disk_full",
    "daemon_crash",     "host_reboot",      "stall",           "clock_step",    "operator_pause",
    "operator_revert",  "compromise",       "ready_unknown",   "file_changed",  "network_outage",
    "other_source",     "state_lost"};
inline constexpr std::size_t fault_kinds = fault_names.size();

[[nodiscard]] constexpr std::size_t index_of(FaultKind kind) {
    return static_cast<std::size_t>(kind);
}

/// How often each fault happens in one run: a probability for each occasion, or a rate an hour.
/// Drawn by swarm testing (Groce and others: "Swarm testing", 2012): most kinds are off in a run,
/// so that some runs see only one kind, and rare combinations occur.
class FaultPlan {
  public:
    /// Nothing goes wrong.
    FaultPlan() = default;

    [[nodiscard]] static FaultPlan draw(Dice& dice);

    [[nodiscard]] double rate(FaultKind kind) const { return quiet_ ? 0 : rates_[index_of(kind)]; }
    void set(FaultKind kind, double rate) { rates_[index_of(kind)] = rate; }

    /// From now on nothing goes wrong.
    void fall_silent() { quiet_ = true; }

  private:
    std::array<double, fault_kinds> rates_{};
    bool quiet_ = false;
};

/// How often each fault has happened.
using FaultCounts = std::array<std::uint64_t, fault_kinds>;

}  // namespace keyturn::simulation
