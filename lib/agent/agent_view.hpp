#pragma once

#include "agent/findings.hpp"
#include "agent/start_planner.hpp"
#include "base/result.hpp"
#include "control/control_service.hpp"
#include "rotation/rotation.hpp"
#include "wire/tunnel_status.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// All that an agent knows, at one moment: what its status and its answers to operators follow
/// from.
struct AgentView {
    const TunnelPolicy& policy;
    const TunnelState& state;
    const StartPlanner& planner;
    const Findings& findings;
    const Rotation* rotation;                        ///< Nothing: none is under way.
    const std::optional<RotationRequest>& accepted;  ///< Not begun yet.
    bool bringing_back;                              ///< A rotation of the watch is about to begin.
    const std::optional<HistoryEntry>& last;
    const LockOut& last_lock_out;           ///< Of the last rotation, as long as this daemon runs.
    const std::string& unreadable;          ///< Why the state cannot be trusted; empty: it can.
    const std::string& token_file_problem;  ///< Why the token file is not there yet; empty: it is.
    WallTime now;

    /// A compromise was accepted and takes the place of everything else at the next step.
    [[nodiscard]] bool superseded() const {
        return accepted && accepted->kind == RotationKind::compromise;
    }
    [[nodiscard]] bool in(RotationState wanted) const {
        return rotation != nullptr && rotation->view().state == wanted;
    }
};

/// What anybody may know about the tunnel. Pure.
[[nodiscard]] TunnelStatus status_of(const AgentView& agent);

/// Whether an operator may have a rotation now. `denied`, `conflict` or `invalid` with what to do
/// instead. Pure.
[[nodiscard]] Result<void> may_rotate(const AgentView& agent, const RotationRequest& request);

/// Whether the open rotation may be taken up again after a hold, or go back to the token from
/// before. `conflict` where there is nothing to decide, `denied` where it is too late. Pure.
[[nodiscard]] Result<void> may_retry(const AgentView& agent);
[[nodiscard]] Result<void> may_revert(const AgentView& agent);

/// `conflict` where it is so already. Pure.
[[nodiscard]] Result<void> may_set_paused(const AgentView& agent, bool paused);

}  // namespace keyturn
