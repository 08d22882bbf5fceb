#pragma once

#include "agent/wakeup.hpp"
#include "asio/task.hpp"
#include "base/result.hpp"
#include "cloudflare/api_budget.hpp"
#include "control/control_service.hpp"
#include "control/tunnel_plan.hpp"
#include "control/tunnel_status.hpp"
#include "executor/rotation_executor.hpp"
#include "policy/policy.hpp"
#include "rotation/preflight.hpp"
#include "rotation/rotation.hpp"
#include "schedule/due.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

class EventLog;

/// A look at Cloudflare out of turn comes no sooner after the last one.
inline constexpr std::chrono::minutes look_pause{1};

/// The life of one tunnel in the daemon: waits until it is due or an operator asks, runs the
/// rotation, answers for its status. Operators' requests only set facts and wake the loop; the loop
/// alone decides what to do next.
class TunnelAgent {
  public:
    /// `splay_share` is the tunnel's place in the splay, see splay.hpp. `changed` is called
    /// whenever `status()` may have changed. The boundaries and the log outlive the agent.
    TunnelAgent(boost::asio::any_io_executor executor, TunnelPolicy policy, double splay_share,
                Dependencies world, EventLog& log, std::function<void(const TunnelAgent&)> changed);
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

    /// A job of this unit has ended: one more reason to look at it, where it is one of ours.
    void unit_job_ended(const std::string& unit);

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
        std::optional<RotationRecord> planned;  ///< Which units are to be brought onto the token.
    };

    /// What would have the next rotation refused.
    struct Problem {
        std::string text;
        bool told = false;  ///< Only what two looks have found is: much passes within a minute.
    };

    /// How a unit was, for the look that comes after.
    struct Seen {
        std::string invocation;
        bool served = false;
        std::optional<BootTime> idle_since;  ///< Up, asked, and without a connection.
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
    Task<Result<void>> look();
    Task<Result<bool>> mend_token_file(Fingerprint api, Fingerprint file);
    Task<Result<void>> look_at_units(PreflightFacts& facts);
    [[nodiscard]] std::vector<Connector> take_foreign(PreflightFacts& facts) const;
    void look_soon();
    void look_again(Milliseconds pause = look_pause);
    [[nodiscard]] Milliseconds pause_after_failure(const Error& error) const;
    Task<> look_for_strangers();
    void suspect_unknown(std::vector<std::string>& unknown);
    [[nodiscard]] std::vector<std::string> judge(const PreflightFacts& facts,
                                                 std::vector<std::string> problems) const;
    void note_problems(std::vector<std::string> found);
    Task<> watch_units();
    void note_samples(const SampleUnits::Value& samples);
    [[nodiscard]] bool lost(const SampleUnits::Sample& sample) const;
    void note_token(const Fingerprint& delivered, const SampleUnits::Value& samples,
                    bool unchanged);
    void tell_unknown(const std::vector<std::string>& units);
    void tell_outdated(const std::vector<UnitStart>& outdated);
    void act_on_outdated(const PreflightFacts& facts);
    [[nodiscard]] bool may_bring_back(const std::vector<UnitStart>& outdated) const;
    [[nodiscard]] std::optional<BootTime> idle_since(const std::vector<UnitStart>& starts) const;
    [[nodiscard]] RotationRecord plan_for_outdated(const PreflightFacts& facts,
                                                   const UnitStart& outdated) const;
    Task<> bring_onto_token(RotationRecord planned);
    Task<bool> keep_for(const RotationRecord& planned, std::string& rotation_id);
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
    [[nodiscard]] std::vector<std::string> notes() const;
    void note_units(std::vector<std::string> names);
    void tell(EventKind kind, Priority priority, std::string message);
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
    Dependencies world_;
    EventLog& log_;
    std::function<void(const TunnelAgent&)> changed_;
    TunnelState state_;
    RotationExecutor executor_;
    Wakeup wakeup_;

    std::string unreadable_;  ///< Why the durable state cannot be trusted; empty when it can.
    std::string token_file_problem_;
    std::string drift_problem_;  ///< Why the last look at Cloudflare told nothing.
    std::optional<BootTime> drift_look_at_;
    std::optional<BootTime> out_of_turn_;  ///< The last look at Cloudflare that was.
    int failed_looks_ = 0;                 ///< In a row.
    bool strangers_wanted_ = false;        ///< A rotation has ended, and nobody has looked yet.
    std::optional<BootTime> units_look_at_;
    std::vector<Problem> problems_;
    std::map<std::string, Seen> seen_;                  ///< By unit, at the last look at all.
    std::map<std::string, std::string> outdated_told_;  ///< Invocations, by unit.
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

/// The trigger of a rotation that brings units onto the token that is delivered already.
inline constexpr std::string_view trigger_for_outdated = "a unit on another token";

/// So long after a job of a unit it is looked at: what a job has begun has come to something.
inline constexpr std::chrono::seconds job_pause{2};

/// How long a unit is without a connection before that counts.
inline constexpr std::chrono::seconds idle_counts_after{2};

/// How long after a refused scheduled rotation the next attempt is made.
inline constexpr std::chrono::minutes refusal_pause{15};

}  // namespace keyturn
