#pragma once

#include "agent/agent_view.hpp"
#include "agent/drift_watch.hpp"
#include "agent/managed_tunnel.hpp"
#include "agent/start_planner.hpp"
#include "asio/task.hpp"
#include "asio/wakeup.hpp"
#include "base/result.hpp"
#include "cloudflare/api_budget.hpp"
#include "control/control_service.hpp"
#include "executor/rotation_executor.hpp"
#include "policy/policy.hpp"
#include "rotation/rotation.hpp"
#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class EventLog;

/// Makes what performs the rotations of a tunnel. `policy` and `state` outlive it.
using MakeExecutor = std::function<std::unique_ptr<Executor>(
    const TunnelPolicy& policy, TunnelState& state, Dependencies world)>;

/// All units are on this host.
[[nodiscard]] std::unique_ptr<Executor> make_local_executor(const TunnelPolicy& policy,
                                                            TunnelState& state, Dependencies world);

/// Manages one tunnel: waits until its rotation is due or an operator asks for one, runs the
/// rotation, and reports the status. Operators' requests only set facts and wake the loop. Only the
/// loop decides what to do next.
class TunnelAgent final : public ManagedTunnel {
  public:
    /// `splay_share` is the tunnel's place in the splay; see splay.hpp. `changed` is called
    /// whenever `status()` may have changed. The dependencies and the log must outlive the agent.
    TunnelAgent(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
                double splay_share, Dependencies world, EventLog& log,
                std::function<void(const TunnelAgent&)> changed,
                const MakeExecutor& make_executor = make_local_executor);
    TunnelAgent(const TunnelAgent&) = delete;
    TunnelAgent& operator=(const TunnelAgent&) = delete;

    void load() override;
    Task<> run() override;

    /// On success, the request is on disk; a compromise is accepted even if it cannot be written.
    /// Errors: see `may_rotate`; also those of writing the state.
    [[nodiscard]] Result<void> request_rotation(RotationRequest request) override;

    /// Errors: see `may_retry`, `may_revert` and `may_set_paused`; also those of writing the state.
    [[nodiscard]] Result<void> decide(Decision decision) override;

    [[nodiscard]] bool idle() const override {
        return !rotation_ && nothing_wanted() && !state_.rotation;
    }

    /// Also while its compromise waits or is held, perhaps because the policy lists the wrong
    /// units.
    [[nodiscard]] bool takes_a_new_policy() const override;

    void wall_clock_set() override { wakeup_.wake(); }
    void unit_job_ended(const std::string& unit) override;
    [[nodiscard]] TunnelStatus status() const override { return status_of(view()); }
    [[nodiscard]] TunnelPlan plan(std::size_t count) const override;
    [[nodiscard]] const std::string& name() const override { return policy_.name; }

  private:
    // The loop.
    Task<> go_on();
    Task<> do_what_is_wanted();
    Task<> prepare_token_file();
    Task<> wait_until_wanted();
    Task<> look_for_drift();
    Task<> idle_until(BootTime when);
    [[nodiscard]] bool nothing_wanted() const { return !accepted_ && !bring_back_; }
    [[nodiscard]] bool slot_is_here(ApiBudget::Use use);

    // One rotation.
    Task<> rotate(RotationInputs inputs);
    Task<> bring_onto_token(RotationRecord planned);
    Task<std::string> keep_for(const RotationRecord& planned);
    void begin(RotationInputs inputs);
    Task<bool> perform_next();
    void note_end();
    void learn_from_end();
    [[nodiscard]] RotationInputs inputs_for(const RotationRequest& request);
    [[nodiscard]] int take_overs_lately();

    // Operators.
    [[nodiscard]] Result<void> record(const RotationRequest& request);
    [[nodiscard]] Result<void> set_paused(bool paused);
    [[nodiscard]] Result<void> revert();
    [[nodiscard]] Result<void> retry();

    // What is known.
    [[nodiscard]] AgentView view() const;
    void recall_last();
    void note_first_seen();
    void note_token_file(std::string problem);
    void look_at_clock();
    void publish();
    void tell(EventKind kind, Priority priority, std::string message, std::string result = {});

    TunnelPolicy policy_;
    Dependencies world_;
    EventLog& log_;
    std::function<void(const TunnelAgent&)> changed_;
    TunnelState state_;
    std::unique_ptr<Executor> executor_;
    Wakeup wakeup_;
    StartPlanner planner_;
    DriftWatch watch_;
    ApiBudget::Slot look_slot_;
    ApiBudget::Slot start_slot_;

    std::string unreadable_;  ///< Why the recorded state cannot be trusted; empty if it can.
    std::string token_file_problem_;
    std::optional<RotationRequest> accepted_;
    std::unique_ptr<RotationRecord> bring_back_;
    bool retry_wanted_ = false;
    bool strangers_wanted_ = false;     ///< `look_for_strangers` is still to do after a rotation.
    std::vector<WallTime> taken_over_;  ///< When somebody else's tokens were lately taken over.
    std::unique_ptr<Rotation> rotation_;
    std::optional<HistoryEntry> last_;
    LockOut lock_out_;  ///< Of the last rotation, as long as this daemon runs.
    std::optional<TunnelStatus> published_;
};

/// How long after a refused scheduled rotation keyturnd tries again.
inline constexpr std::chrono::minutes refusal_pause{15};

}  // namespace keyturn
