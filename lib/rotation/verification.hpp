#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <string>

namespace keyturn {

/// How a unit that we restarted stands, judged from one sample.
struct UnitVerdict {
    enum class Standing {
        healthy,    ///< The new process runs, with enough connections to the right tunnel.
        not_yet,    ///< Starting, in auto-restart, or still gathering connections.
        dead,       ///< Failed or stopped, and systemd will not start it again by itself.
        unchanged,  ///< The old process is still there: the restart has not happened.
    };
    Standing standing = Standing::not_yet;
    std::string text;  ///< What was seen: "activating/auto-restart", "2 of 4 connections".
};

/// `connections_needed` is what counts as enough. Pure.
[[nodiscard]] UnitVerdict judge_unit(const UnitProgress& unit, const std::string& tunnel,
                                     const SampleUnits::Sample& sample, int connections_needed);

/// Enough at once: as many connections as before, one at least.
[[nodiscard]] constexpr int connections_wanted(const UnitProgress& unit) {
    return unit.baseline > 1 ? unit.baseline : 1;
}

/// Enough at the deadline, with a warning: one less, because the edge may withhold one.
[[nodiscard]] constexpr int connections_tolerated(const UnitProgress& unit) {
    return unit.baseline > 2 ? unit.baseline - 1 : 1;
}

/// Whether a unit that was verified serves as another process by now.
[[nodiscard]] inline bool runs_as_another(const UnitProgress& unit,
                                          const SampleUnits::Sample& sample) {
    return sample.serving() && sample.readiness->connector_id != unit.connector_after;
}

/// How many of the samples serve.
[[nodiscard]] int count_serving(const SampleUnits::Value& samples);

}  // namespace keyturn
