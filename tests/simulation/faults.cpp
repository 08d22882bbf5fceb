#include "simulation/faults.hpp"

namespace keyturn::simulation {

namespace {

/// The highest rate of each kind. A run draws a rate below it, more often a low one.
constexpr std::array<double, fault_kinds> rates_max{
    0.30,   // api_call, a call
    0.01,   // api_denied, a call
    6.0,    // api_outage, an hour
    0.50,   // patch_lost, a PATCH
    0.30,   // patch_late, a PATCH
    0.50,   // stale_read, a PATCH
    0.50,   // edge_lag, a PATCH
    0.50,   // list_lag, a process
    0.10,   // bus_call, a call
    6.0,    // bus_outage, an hour
    0.03,   // ready_silent, a check
    0.20,   // restart_denied, a unit checked or restarted
    6.0,    // polkit_outage, an hour
    0.30,   // start_fails, a start
    0.10,   // start_limit, a start
    0.10,   // start_skipped, a start
    0.50,   // slow_unit, a start
    8.0,    // connection_drop, an hour and connection
    2.0,    // process_crash, an hour and unit
    2.0,    // operator_stop, an hour and unit
    2.0,    // operator_restart, an hour and unit
    4.0,    // foreign_rotation, an hour
    0.05,   // foreign_replica, a rotation
    0.05,   // disk_call, an operation
    6.0,    // disk_full, an hour
    0.02,   // daemon_crash, an effect and side
    2.0,    // host_reboot, an hour
    0.03,   // stall, a step
    4.0,    // clock_step, an hour
    4.0,    // operator_pause, an hour
    8.0,    // operator_revert, an hour
    2.0,    // compromise, an hour
    0.004,  // ready_unknown, a check of a tunnel
    0.02,   // file_changed, a step of a rotation
    3.0,    // network_outage, an hour
    0.20,   // other_source, a rotation
    2.0,    // state_lost, an hour
};

constexpr double kind_is_on = 0.5;

}  // namespace

FaultPlan FaultPlan::draw(Dice& dice) {
    FaultPlan plan;
    for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
        const bool on = dice.happens(kind_is_on);
        const double share = dice.fraction();
        if (on) plan.rates_[kind] = rates_max[kind] * share * share;
    }
    // A unit with a dead token that the edge still accepts cannot be told from a right one.
    for (const FaultKind kind : {FaultKind::other_source, FaultKind::file_changed}) {
        if (plan.rate(kind) > 0) plan.set(FaultKind::edge_lag, 0);
    }
    return plan;
}

}  // namespace keyturn::simulation
