#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What a compromise has achieved so far.
struct LockOut {
    std::vector<std::string> evicted;    ///< Descriptions of dropped connectors, each once.
    std::optional<Milliseconds> after;   ///< From the alarm until only our connectors were listed.
    std::optional<Milliseconds> outage;  ///< How long none of ours was connected, if dropped too.
};

enum class RotationState { running, waiting, paused, held, refused, done };

/// What a rotation is doing, for status and D-Bus.
struct RotationView {
    RotationState state = RotationState::running;
    Phase phase = Phase::preflight;
    std::string reason;  ///< Why it waits, is held or was refused; when done, the closing sentence.
    struct Step {
        BootTime started;
        BootTime ends;  ///< At the earliest for a settle or soak, at the latest for a verification.
        WallTime wall_started;
    };
    std::optional<Step> step;    ///< The settle, soak or verification under way.
    SampleUnits::Value samples;  ///< The newest ones.
    LockOut lock_out;
};

}  // namespace keyturn
