#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "control/control_service.hpp"
#include "model/rotation_request.hpp"
#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <cstddef>
#include <string>

namespace keyturn {

/// A tunnel that keyturnd manages: alone on this host (`TunnelAgent`), or together with the other
/// hosts of a fleet.
class ManagedTunnel {
  public:
    virtual ~ManagedTunnel() = default;

    /// Reads the recorded state. If it cannot be read, the tunnel is not rotated until a person has
    /// fixed that; the daemon starts anyway.
    virtual void load() = 0;

    /// Runs until it is cancelled. Cancelling it at any point is as safe as a crash.
    virtual Task<> run() = 0;

    /// Accepts an operator's request. `trigger` is the operator's reason and may be empty.
    [[nodiscard]] virtual Result<void> request_rotation(RotationRequest request) = 0;

    /// Carries out an operator's decision.
    [[nodiscard]] virtual Result<void> decide(Decision decision) = 0;

    /// True while no rotation is open or about to start, so that this can be replaced.
    [[nodiscard]] virtual bool idle() const = 0;

    /// True if this can be replaced by one with a new policy.
    [[nodiscard]] virtual bool takes_a_new_policy() const = 0;

    /// Checks the schedule again after the wall clock was set or the host has resumed.
    virtual void wall_clock_set() = 0;

    /// Makes a check of the units due after a systemd job of this unit, if the unit belongs to the
    /// tunnel. Called from inside the bus pump, so it only sets facts.
    virtual void unit_job_ended(const std::string& unit) = 0;

    [[nodiscard]] virtual TunnelStatus status() const = 0;

    /// Returns the next `count` scheduled starts, from the policy and the present age of the token.
    [[nodiscard]] virtual TunnelPlan plan(std::size_t count) const = 0;
    [[nodiscard]] virtual const std::string& name() const = 0;
};

}  // namespace keyturn
