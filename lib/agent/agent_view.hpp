#pragma once

#include "agent/findings.hpp"
#include "agent/look_times.hpp"
#include "agent/start_planner.hpp"
#include "base/result.hpp"
#include "control/control_service.hpp"
#include "rotation/rotation.hpp"
#include "wire/tunnel_status.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// Everything an agent knows at one moment. Its status and its answers to operators follow from
/// this alone.
struct AgentView {
    const TunnelPolicy& policy;
    const TunnelState& state;
    const StartPlanner& planner;
    const Findings& findings;
    const Rotation* rotation;                        ///< Null if none is open.
    const std::optional<RotationRequest>& accepted;  ///< Accepted, but not started yet.
    bool bringing_back;  ///< `DriftWatch` has asked for a rotation that is about to start.
    const std::optional<HistoryEntry>& last;
    const LockOut& last_lock_out;   ///< Of the last rotation, as long as this daemon runs.
    const std::string& unreadable;  ///< Why the recorded state cannot be trusted; empty if it can.
    const std::string& token_file_problem;  ///< Why there is no token file yet; else empty.
    const SampleUnits::Value& samples;      ///< The units as last seen.
    const TokenChecks& checks;
    WallTime now;

    /// True if a compromise was accepted. It replaces the open rotation at the next step.
    [[nodiscard]] bool superseded() const {
        return accepted && accepted->kind == RotationKind::compromise;
    }
    [[nodiscard]] bool in(RotationState wanted) const {
        return rotation != nullptr && rotation->view().state == wanted;
    }
};

/// Returns the public status of the tunnel: every user of the host may read it. Pure.
[[nodiscard]] TunnelStatus status_of(const AgentView& agent);

/// Checks whether an operator may start this rotation now. Fails with `denied`, `conflict` or
/// `invalid`; the text says what to do instead. Pure.
[[nodiscard]] Result<void> may_rotate(const AgentView& agent, const RotationRequest& request);

/// Check whether the open rotation can continue after a hold, or return to the old token. Fail with
/// `conflict` if there is nothing to retry or revert, and with `denied` if it is too late to
/// revert. Pure.
[[nodiscard]] Result<void> may_retry(const AgentView& agent);
[[nodiscard]] Result<void> may_revert(const AgentView& agent);

/// Fails with `conflict` if the tunnel is already paused or not paused, respectively. Pure.
[[nodiscard]] Result<void> may_set_paused(const AgentView& agent, bool paused);

}  // namespace keyturn
