#pragma once

#include "base/result.hpp"
#include "model/readiness.hpp"
#include "model/unit_state.hpp"
#include "simulation/cloud_model.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace keyturn::simulation {

/// Everything that a unit needs from its tunnel.
struct UnitSurroundings {
    Chance& chance;
    CloudModel& cloud;
    const SecretId& token_file;
    int& next_process;  ///< Counts all processes of the run.
};

/// A cloudflared unit under systemd, with the behaviour seen in real ones: it reads its token once,
/// at its start. It is READY with its first connection and gets the others one by one. A lost
/// connection comes back only while the token is the tunnel's. A refused start ends after 15 s and
/// is tried again 5 s later, for ever.
class UnitModel {
  public:
    /// An `enabled` unit has been up for a long time and starts with the host. Otherwise it is
    /// stopped.
    UnitModel(std::string name, std::string tunnel, UnitSurroundings around, BootTime now,
              bool enabled = true);

    /// Lets time pass. All questions below are about the time of the last call.
    void advance(BootTime now);

    [[nodiscard]] UnitState state() const;
    [[nodiscard]] Readiness readiness() const;
    [[nodiscard]] bool running() const { return phase_ == Phase::running; }
    [[nodiscard]] bool serving() const { return running() && connections_ > 0; }
    /// Without an interruption, up to now.
    [[nodiscard]] bool serves_since(BootTime when) const {
        return serving() && serving_from_ <= when;
    }
    [[nodiscard]] bool served_since(BootTime when) const { return serving() || served_ >= when; }
    [[nodiscard]] bool listed() const { return serving() && now_ >= listed_from_; }
    [[nodiscard]] SecretId token() const { return token_; }
    [[nodiscard]] BootTime started_at() const { return started_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    /// What the last check of the unit showed keyturnd.
    enum class Look { idle, serving, unknown };
    void looked_at(Look look) { look_ = look; }
    [[nodiscard]] Look look() const { return look_; }

    /// Until then, its metrics server cannot be asked, whichever process it is.
    void hide(BootTime until) { hidden_until_ = std::max(hidden_until_, until); }
    [[nodiscard]] bool hidden() const { return now_ < hidden_until_; }

    /// From now on, each of its processes takes the token that the current one has.
    void forget_token_file() { source_ = token_; }

    /// Root gives it a token of its own, as everybody can see, or brings it onto the token file.
    void set_apart(SecretId token) {
        source_ = token;
        is_apart_ = true;
    }
    void bring_in() {
        source_ = 0;
        is_apart_ = false;
    }
    [[nodiscard]] bool is_apart() const { return is_apart_; }

    /// It has a process, or systemd keeps trying to start one.
    [[nodiscard]] bool started() const {
        return phase_ != Phase::failed && phase_ != Phase::inactive;
    }
    [[nodiscard]] bool starts_in_vain() const { return phase_ == Phase::auto_restart; }

    /// A connector that the API still lists although it is gone.
    [[nodiscard]] std::optional<std::string> ghost() const;

    /// Begins a restart job. Fails with `conflict` if another job is in the way.
    [[nodiscard]] Result<void> begin_restart(RestartVerb verb);

    /// Begins a stop job, in the same way.
    [[nodiscard]] Result<void> begin_stop_job();

    /// The edge drops all its connections, and it asks for new ones.
    void drop_all();

    /// How that job ended; nothing while it runs.
    [[nodiscard]] std::optional<JobResult> job_result() const { return job_result_; }

    /// When its next change comes, if nobody does anything.
    [[nodiscard]] BootTime next_change() const;

    /// The host goes down now and comes up at `up`. An enabled unit starts then.
    void reboot(BootTime up);

    /// Does what a called operator does: starts the unit if it does not run, and makes
    /// sure that it can. With `leave_stopped`, a unit that somebody stopped stays
    /// stopped.
    void mend(bool leave_stopped);

    /// Does what an operator also does while keyturnd is not working on it: restarts a
    /// unit without connections.
    void reconnect();

  private:
    enum class Phase { running, starting, stopping, auto_restart, failed, inactive };
    /// The kinds of scheduled events; each moment is one of these.
    enum Moment : std::size_t {
        phase_ends,
        registration,
        drop,
        crash,
        stop,
        restart,
        start,
        moments
    };

    void happen(Moment moment);
    void new_process();
    void begin_start();
    void begin_stop(bool then_start);
    void end_process();
    void start_failed(bool for_good);
    void end_phase();
    void register_connection();
    void become_ready();
    void finish_job(JobResult result);
    void foresee_disturbances();
    void after(Moment moment, Milliseconds wait) { at_[moment] = now_ + wait; }
    void never(Moment moment) { at_[moment] = BootTime::max(); }
    [[nodiscard]] bool job_pending() const { return job_ != Job::none; }

    enum class Job { none, ours, theirs };

    std::string name_;
    std::string tunnel_;
    bool enabled_;
    UnitSurroundings around_;
    BootTime now_;
    Phase phase_ = Phase::inactive;
    std::array<BootTime, moments> at_{};
    int process_ = 0;
    std::string invocation_;
    std::string connector_;
    BootTime started_{};
    SecretId token_ = 0;
    int connections_ = 0;
    int refusals_ = 0;
    bool start_after_stop_ = false;
    bool fails_at_start_ = false;
    bool stopped_by_somebody_ = false;
    Job job_ = Job::none;
    std::optional<JobResult> job_result_;
    BootTime serving_from_{};
    BootTime served_{};
    BootTime listed_from_{};
    Look look_ = Look::idle;
    BootTime hidden_until_{};
    SecretId source_ = 0;  ///< 0 stands for the token file.
    bool is_apart_ = false;
    int ghost_ = 0;
    BootTime ghost_until_{};
};

/// How many connections a connector keeps.
inline constexpr int connections_full = 4;

}  // namespace keyturn::simulation
