#pragma once

#include "time/moment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

struct UnitStatus {
    std::string name;
    std::string step;  ///< listed, waiting, restarting, verified; "" when no rotation is open.
    int batch = 0;
    int connections = -1;  ///< As last sampled; -1: unknown.
    std::string verified_by;

    bool operator==(const UnitStatus&) const = default;
};

/// What anybody may know about a tunnel.
struct TunnelStatus {
    std::string name;
    std::string tunnel;        ///< UUID
    std::string state;         ///< idle, running, waiting, paused, held
    std::string phase;         ///< Of the open rotation; "" when idle.
    std::string reason;        ///< Why it waits or is held; for idle: how the last rotation ended.
    std::string hold_reason;   ///< The word for programs.
    std::string rotation_id;   ///< Of the open rotation, else of the last one.
    std::string last_outcome;  ///< done, taken over, reverted, refused, or "".
    std::string trigger;
    std::string fingerprint;  ///< Of the new token while a rotation is open, else of the current.
    int batch = 0;
    int batch_count = 0;
    std::vector<UnitStatus> units;
    std::optional<WallTime> started;
    std::optional<WallTime> step_started;  ///< Of the wait under way (settle, soak, verify) ...
    std::optional<WallTime> step_ends;     ///< ... and when it ends at the earliest.
    std::optional<WallTime> last_done;
    std::optional<WallTime> due;  ///< When it is started without anybody asking.
    std::string due_cause;        ///< due, window, freeze, max_age, never; "": on demand only.
    /// What a person should look into although nothing is held, a sentence each: who holds the
    /// token besides, what would have the next rotation refused.
    std::vector<std::string> findings;
    std::vector<std::string> notes;  ///< What is good to know, and no fault that anybody has seen.
    std::string held_unit;    ///< The unit that a hold is about; "" when it is about no single one.
    bool can_revert = false;  ///< `revert` would bring the token from before back.
    /// Of the compromise that is open, or of the last rotation if that was one.
    std::vector<std::string> evicted;     ///< Who was dropped, described.
    std::optional<Milliseconds> lockout;  ///< From the alarm until nobody but ours was listed.
    std::optional<Milliseconds> outage;   ///< How long none of ours was connected, with evict_all.

    bool operator==(const TunnelStatus&) const = default;
};

}  // namespace keyturn
