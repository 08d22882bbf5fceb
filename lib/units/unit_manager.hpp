#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"
#include "units/unit_state.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keyturn {

class Bus;
class Clock;

/// systemd, as far as a rotation needs it. Faults: `unreachable` when the bus or systemd does not
/// answer, `denied` when polkit refuses (the text names the rule to write), `missing` for a unit
/// that does not exist or is masked, `conflict` when an operator's job is in the way.
class UnitManager {
  public:
    virtual ~UnitManager() = default;

    /// The units that names and globs stand for now: names as they are, whether loaded or not;
    /// globs as the loaded units that match, in natural order. In the order of `patterns`, each
    /// unit once.
    virtual Task<Result<std::vector<std::string>>> expand(std::vector<std::string> patterns) = 0;

    virtual Task<Result<UnitState>> state(std::string unit) = 0;

    virtual Task<Result<UnitSettings>> settings(std::string unit) = 0;

    /// ResetFailedUnit, then a restart job in mode `fail`, then waits for that job, `deadline` at
    /// most. A job that outlives the deadline is `unreachable`; it goes on without us. `done` only
    /// says that the job ended: whether the unit works is the caller's question. With a `deadline`
    /// of zero the job is `queued` and nobody waits for it.
    virtual Task<Result<JobResult>> restart(std::string unit, RestartVerb verb,
                                            Milliseconds deadline) = 0;

    /// A stop job in mode `fail`, and its end, in the same way.
    virtual Task<Result<JobResult>> stop(std::string unit, Milliseconds deadline) = 0;
};

/// How long systemd is waited for.
struct UnitPatience {
    /// What is only read is answered at once, or systemd is not well.
    Milliseconds read = std::chrono::seconds{10};
    /// systemd itself waits 25 s for polkit: its refusal shall come before our own timeout.
    Milliseconds act = std::chrono::seconds{30};
    /// Signals can get lost over a reload or a re-execution of systemd, so a wait for a job also
    /// looks at the unit this often.
    Milliseconds look_interval = std::chrono::seconds{2};
};

/// `bus` and `clock` outlive the manager.
[[nodiscard]] std::unique_ptr<UnitManager> make_unit_manager(
    Bus& bus, Clock& clock, UnitPatience patience = UnitPatience{});

}  // namespace keyturn
