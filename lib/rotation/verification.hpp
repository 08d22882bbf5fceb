#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// The state of a unit that keyturnd restarted, judged from one sample.
struct UnitVerdict {
    enum class Standing {
        healthy,    ///< The new process runs, with enough connections to the right tunnel.
        not_yet,    ///< Starting, in auto-restart, or still making connections.
        dead,       ///< Failed or stopped, and systemd will not start it again automatically.
        unchanged,  ///< The old process is still there: the restart has not happened.
        unknown,    ///< The new process is up, but its connector cannot be asked.
    };
    Standing standing = Standing::not_yet;
    std::string text;  ///< What was seen: "activating/auto-restart", "2 of 4 connections".
};

/// `connections_needed` is the number that counts as enough. Pure.
[[nodiscard]] UnitVerdict judge_unit(const UnitProgress& unit, const std::string& tunnel,
                                     const SampleUnits::Sample& sample, int connections_needed);

/// Enough immediately: as many connections as before, and at least one.
[[nodiscard]] constexpr int connections_wanted(const UnitProgress& unit) {
    return unit.baseline > 1 ? unit.baseline : 1;
}

/// Enough at the deadline, with a warning: one fewer, because the edge may withhold one.
[[nodiscard]] constexpr int connections_tolerated(const UnitProgress& unit) {
    return unit.baseline > 2 ? unit.baseline - 1 : 1;
}

/// True if a verified unit now serves as another process.
[[nodiscard]] inline bool runs_as_another(const UnitProgress& unit,
                                          const SampleUnits::Sample& sample) {
    return sample.serves() && !unit.connector_after.empty() &&
           sample.readiness->connector_id != unit.connector_after;
}

/// True if a waiting unit has another process than the one that ran when the file already contained
/// the new token. So this process has read the new token, whoever started it.
[[nodiscard]] inline bool came_back_anew(const UnitProgress& unit,
                                         const SampleUnits::Sample& sample) {
    return unit.step == UnitStep::waiting && !unit.invocation_before.empty() && !sample.behind &&
           sample.state.started() && !sample.state.invocation.empty() &&
           sample.state.invocation != unit.invocation_before;
}

/// One process cannot be that of two units: where two report the same connector, nobody can tell
/// whose it is, so that both are unknown.
void forget_shared_answers(SampleUnits::Value& samples);

/// How many of the samples certainly serve, and for how many that is unknown.
[[nodiscard]] int count_serving(const SampleUnits::Value& samples);
[[nodiscard]] int count_unknown(const SampleUnits::Value& samples);

/// "UNIT: cannot ask /ready: REASON" for the first unit that could not be asked.
[[nodiscard]] std::optional<std::string> first_unknown(const SampleUnits::Value& samples);

}  // namespace keyturn
