#pragma once

#include "agent/wakeup.hpp"
#include "asio/task.hpp"
#include "base/result.hpp"
#include "cloudflare/api_budget.hpp"
#include "control/control_service.hpp"
#include "control/tunnel_plan.hpp"
#include "control/tunnel_status.hpp"
#include "policy/policy.hpp"
#include "rotation/rotation.hpp"
#include "rotation/rotator.hpp"
#include "schedule/due.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace keyturn {

class EventLog;

/// The life of one tunnel in the daemon: waits until it is due or an operator asks, runs the
/// rotation, answers for its status. Operators' requests only set facts and wake the loop; the loop
/// alone decides what to do next.
class TunnelAgent {
  public:
    /// `splay_share` is the tunnel's place in the splay, see splay.hpp. `changed` is called
    /// whenever `status()` may have changed. The boundaries and the log outlive the agent.
    TunnelAgent(boost::asio::any_io_executor executor, TunnelPolicy policy, double splay_share,
                Boundaries world, EventLog& log, std::function<void(const TunnelAgent&)> changed);
    TunnelAgent(const TunnelAgent&) = delete;
    TunnelAgent& operator=(const TunnelAgent&) = delete;

    /// Reads the durable state. A state that cannot be read keeps the tunnel from being rotated
    /// until a person has looked; it does not keep the daemon from starting.
    void load();

    /// Runs until it is cancelled; being cancelled at any point is as safe as a crash.
    Task<> run();

    /// Without an error the request is on the disk. `conflict` when a rotation is open; `denied`
    /// when the policy forbids one now.
    [[nodiscard]] Result<void> request_rotation(const RotateRequest& request);

    /// `conflict` when there is nothing to decide, `denied` when it cannot be done any more,
    /// `storage` when a pause cannot be written.
    [[nodiscard]] Result<void> decide(Decision decision);

    /// True while no rotation is open and none is about to begin: it can be ended and made anew.
    [[nodiscard]] bool idle() const { return !rotation_ && !wish_ && !state_.rotation; }

    /// It can be ended and made anew with another policy: it is idle, or deals with a compromise
    /// and stands still, which may be because the policy names the wrong units.
    [[nodiscard]] bool takes_a_new_policy() const;

    /// The wall clock was set, or the host has resumed: what waits for a time of day looks again.
    void wall_clock_set() { wakeup_.wake(); }

    [[nodiscard]] TunnelStatus status() const;

    /// The next scheduled starts, as the policy and the age of the token are now.
    [[nodiscard]] TunnelPlan plan(std::size_t count) const;
    [[nodiscard]] const std::string& name() const { return policy_.name; }

  private:
    struct Wish {
        std::string trigger;
        bool scheduled = false;
        bool accept_gap = false;
        bool takes_over = false;
        bool compromised = false;
        bool evict_all = false;
    };

    /// What `next_` was found with.
    struct Planned {
        TokenAge age;
        StartPlan plan;
        WallTime at;
    };

    Task<> prepare_token_file();
    Task<> wait_until_wanted();
    [[nodiscard]] bool may_look();
    [[nodiscard]] bool may_start();
    Task<> look_for_drift();
    Task<Result<bool>> token_was_changed();
    Task<Result<std::vector<Connector>>> foreign_connectors();
    void tell_foreign(const std::vector<Connector>& foreign);
    void note_drift_problem(std::string problem);
    void note_first_seen();
    void correct_dates(Milliseconds clock_ahead);
    [[nodiscard]] int adoptions_lately();
    template <class Asked>
    Task<Result<typename Asked::Value>> ask(Asked question);
    Result<void> record_wish(const Wish& wish);
    Task<> rotate(RotationInputs inputs);
    void begin(RotationInputs inputs);
    Task<bool> perform_next();
    Task<> idle_until(BootTime when);
    [[nodiscard]] Result<void> retry();
    [[nodiscard]] Result<void> set_paused(bool paused);
    [[nodiscard]] Result<void> revert();
    [[nodiscard]] Result<void> supersede(const RotateRequest& request);
    [[nodiscard]] Result<void> supersede_compromise(const RotateRequest& request) const;
    [[nodiscard]] RotationInputs inputs_for(const Wish& wish);
    void note_end();
    void learn_from_end();
    void recall_last();
    [[nodiscard]] bool superseded() const { return wish_ && wish_->compromised; }
    void note_token_file(std::string problem);
    [[nodiscard]] Event event_of(EventKind kind, Priority priority) const;
    void publish();
    void describe_rotation(TunnelStatus& status) const;
    static void describe_record(TunnelStatus& status, const RotationRecord& record);
    [[nodiscard]] std::vector<std::string> findings() const;
    void note_units(std::vector<std::string> names);
    void plan_next();
    [[nodiscard]] TokenAge token_age() const;
    [[nodiscard]] StartPlan start_plan() const;
    [[nodiscard]] Milliseconds usual_duration() const;
    [[nodiscard]] std::string freeze_before(const Due& next) const;
    void tell_postponement();
    [[nodiscard]] std::string describe_wait() const;
    [[nodiscard]] std::optional<WallTime> start() const;
    [[nodiscard]] std::optional<WallTime> next_moment() const;

    TunnelPolicy policy_;
    double splay_share_;
    Boundaries world_;
    EventLog& log_;
    std::function<void(const TunnelAgent&)> changed_;
    TunnelState state_;
    Rotator rotator_;
    Wakeup wakeup_;

    std::string unreadable_;  ///< Why the durable state cannot be trusted; empty when it can.
    std::string token_file_problem_;
    std::string drift_problem_;  ///< Why the last look at Cloudflare told nothing.
    std::optional<BootTime> drift_look_at_;
    ApiBudget::Turn look_turn_;
    ApiBudget::Turn start_turn_;
    std::set<std::string> foreign_seen_;               ///< At the last look.
    std::map<std::string, std::string> foreign_told_;  ///< Who an alarm was raised for, described.
    std::vector<ProvenConnector> proven_;              ///< What units told of themselves lately.
    std::vector<WallTime> taken_over_;                 ///< When a stranger's token was, lately.
    std::vector<std::string> units_;  ///< As last seen; before that, as the policy names them.
    std::optional<Planned> planned_;
    std::optional<Due> next_;  ///< As of the last look at the clock.
    std::optional<StartCause> postponement_told_;
    std::optional<Wish> wish_;
    bool retry_wanted_ = false;
    std::optional<WallTime> postponed_until_;
    BootTime postponement_ends_{};  ///< The same moment, whatever is done to the wall clock.
    std::unique_ptr<Rotation> rotation_;
    std::optional<HistoryEntry> last_;
    std::optional<Milliseconds> usual_;  ///< What the last rotations took, where there were some.
    LockOut lock_out_;                   ///< Of the last rotation, as long as this daemon runs.
    std::optional<TunnelStatus> published_;
};

/// How long after a refused scheduled rotation the next attempt is made.
inline constexpr std::chrono::minutes refusal_pause{15};

}  // namespace keyturn
