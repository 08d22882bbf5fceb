#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "model/unit_state.hpp"
#include "time/moment.hpp"
#include "units/polkit.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

class Bus;
class Clock;

/// A unit and the names under which the policy asked for it. Several names are aliases.
struct NamedUnit {
    std::string id;                  ///< systemd's Id, the primary one of its names.
    std::vector<std::string> names;  ///< Without repetitions.

    bool operator==(const NamedUnit&) const = default;
};

/// systemd, as far as a rotation needs it. Faults: `unreachable` if the bus or systemd does not
/// answer, `busy` if polkit does not answer systemd, `denied` if polkit refuses (the text names the
/// rule to write), `missing` for a unit that does not exist or is masked, `conflict` if an
/// operator's job is in the way.
class UnitManager {
  public:
    virtual ~UnitManager() = default;

    /// Finds the units that names and globs stand for now. A name counts whether it is loaded or
    /// not; a glob stands for the loaded units whose Id matches, in natural order. The result is in
    /// the order of `patterns`, with each unit once.
    virtual Task<Result<std::vector<NamedUnit>>> expand(std::vector<std::string> patterns) = 0;

    virtual Task<Result<UnitState>> state(std::string unit) = 0;

    virtual Task<Result<UnitSettings>> settings(std::string unit) = 0;

    /// Asks whether systemd would let keyturnd do this to a unit, without doing it. One question is
    /// asked at a time. If the answer stays unknown, that is a temporary error, after
    /// `UnitPatience::ask` at most; callers that waited for their turn meanwhile get the same
    /// error.
    virtual Task<Result<Permission>> may(std::string unit, UnitVerb verb) = 0;

    /// Calls ResetFailedUnit (a refusal by polkit does not stop the restart), then starts a restart
    /// job in mode `fail` and waits for it, at most for `deadline`. A job that outlives the
    /// deadline is `unreachable`, and continues. `done` only means that the job ended: the caller
    /// has to check whether the unit works. With a `deadline` of zero, nobody waits and the result
    /// is `queued`.
    virtual Task<Result<RestartResult>> restart(std::string unit, RestartVerb verb,
                                                Milliseconds deadline) = 0;

    /// Starts a stop job in mode `fail` and waits for its end in the same way.
    virtual Task<Result<JobResult>> stop(std::string unit, Milliseconds deadline) = 0;
};

/// How long keyturnd waits for systemd.
struct UnitPatience {
    /// systemd answers read requests at once unless something is wrong with it.
    Milliseconds read = std::chrono::seconds{10};
    /// systemd itself waits 25 s for polkit (sd-bus's default timeout). Its refusal must arrive
    /// before this.
    Milliseconds act = std::chrono::seconds{30};
    /// Signals can get lost over a reload or re-execution of systemd, so a wait for a job also
    /// checks the unit this often.
    Milliseconds look_interval = std::chrono::seconds{2};
    /// Even a polkit that has to be started first answers within one second.
    Milliseconds ask = std::chrono::seconds{5};
};

/// Called from inside the bus pump with the name of a unit whose job has ended: a hint to check the
/// unit.
using JobEnded = std::function<void(const std::string& unit)>;

/// `bus` and `clock` must outlive the manager.
[[nodiscard]] std::unique_ptr<UnitManager> make_unit_manager(Bus& bus, Clock& clock,
                                                             UnitPatience patience = UnitPatience{},
                                                             JobEnded job_ended = {});

}  // namespace keyturn
