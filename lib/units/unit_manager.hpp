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

/// A unit, and the names under which it was asked for. More than one: aliases.
struct NamedUnit {
    std::string id;                  ///< systemd's Id: of all its names the one that is its own.
    std::vector<std::string> names;  ///< Without repetitions.

    bool operator==(const NamedUnit&) const = default;
};

/// systemd, as far as a rotation needs it. Faults: `unreachable` when the bus or systemd does not
/// answer, `busy` when nobody answers systemd's question to polkit, `denied` when polkit refuses
/// (the text names the rule to write), `missing` for a unit that does not exist or is masked,
/// `conflict` when an operator's job is in the way.
class UnitManager {
  public:
    virtual ~UnitManager() = default;

    /// The units that names and globs stand for now: names whether loaded or not; globs as the
    /// loaded units whose Id matches, in natural order. In the order of `patterns`, each unit once.
    virtual Task<Result<std::vector<NamedUnit>>> expand(std::vector<std::string> patterns) = 0;

    virtual Task<Result<UnitState>> state(std::string unit) = 0;

    virtual Task<Result<UnitSettings>> settings(std::string unit) = 0;

    /// Whether systemd would let us do this to a unit; nothing is done to it. One
    /// such question at a time. Not knowing is an error that passes by itself, after
    /// `UnitPatience::ask` at most; whoever waits for his turn meanwhile gets the same one.
    virtual Task<Result<Permission>> may(std::string unit, UnitVerb verb) = 0;

    /// ResetFailedUnit, whose refusal by polkit stops nothing; then a restart job in mode `fail`,
    /// then waits for that job, `deadline` at
    /// most. A job that outlives the deadline is `unreachable`; it goes on without us. `done` only
    /// says that the job ended: whether the unit works is the caller's question. With a `deadline`
    /// of zero the job is `queued` and nobody waits for it.
    virtual Task<Result<RestartResult>> restart(std::string unit, RestartVerb verb,
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
    /// A polkit that has to be started first answers within one.
    Milliseconds ask = std::chrono::seconds{5};
};

/// Called with the name of a unit of which a job has ended, from inside the bus pump: a hint to
/// look.
using JobEnded = std::function<void(const std::string& unit)>;

/// `bus` and `clock` outlive the manager.
[[nodiscard]] std::unique_ptr<UnitManager> make_unit_manager(Bus& bus, Clock& clock,
                                                             UnitPatience patience = UnitPatience{},
                                                             JobEnded job_ended = {});

}  // namespace keyturn
