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

/// How a unit was when keyturnd last looked at it.
struct UnitHealth {
    std::string name;
    std::string health;  ///< serving, disconnected, starting, stopped, failed, unknown
    /// current, older, unknown: the token with which it was started. "" if it is stopped, and while
    /// a rotation is open, because its step shows that.
    std::string token_age;
    std::string fingerprint;  ///< Of that token; "" if it is unknown.
    int baseline = -1;        ///< Connections before the open rotation; -1: unknown.

    bool operator==(const UnitHealth&) const = default;
};

/// The public status of a tunnel: every user of the host may read it.
struct TunnelStatus {
    std::string name;
    std::string tunnel;        ///< UUID
    std::string state;         ///< idle, running, waiting, paused, held
    std::string kind;          ///< Of the open rotation: routine, takeover, compromise, adopt, ...
    std::string phase;         ///< Of the open rotation; "" when idle.
    std::string reason;        ///< Why it waits or is held; for idle: how the last rotation ended.
    std::string hold_reason;   ///< One word for programs; "" if it is not held.
    std::string rotation_id;   ///< Of the open rotation, else of the last one.
    std::string last_outcome;  ///< done, taken over, reverted, adopted, ... or "".
    std::string trigger;
    std::string fingerprint;  ///< Of the new token while a rotation is open, else of the current.
    int batch = 0;
    int batch_count = 0;
    std::vector<UnitStatus> units;
    std::optional<WallTime> started;
    std::optional<WallTime> step_started;  ///< Of the wait under way (settle, soak, verify) ...
    std::optional<WallTime> step_ends;     ///< ... and when it ends at the earliest.
    std::optional<WallTime> last_done;
    std::optional<WallTime> due;  ///< When the next scheduled rotation starts.
    std::string due_cause;        ///< due, window, freeze, max_age, never; "": on demand only.
    /// Problems that a person should fix although no rotation is held, one sentence each: an
    /// unknown connector, or something that would make keyturnd refuse the next rotation.
    std::vector<std::string> findings;
    std::vector<std::string> notes;  ///< Useful facts that are no problems.
    std::string held_unit;    ///< The unit that a hold is about; "" if it is not about one unit.
    bool can_revert = false;  ///< `revert` would end it as it was before.
    /// These belong to the open compromise, or to the last rotation if it was one.
    std::vector<std::string> evicted;      ///< The dropped connectors, described.
    std::optional<Milliseconds> lockout;   ///< From the alarm until Cloudflare listed only ours.
    std::optional<Milliseconds> outage;    ///< How long ours were all disconnected, with evict_all.
    std::vector<UnitHealth> health;        ///< Of the same units as `units`.
    std::optional<WallTime> expected_end;  ///< Of the open rotation, if nothing more goes wrong.
    std::optional<WallTime> last_ended;    ///< When the last rotation ended, whatever its outcome.
    /// When keyturnd last compared the token with Cloudflare's, and since when it cannot. Both
    /// count from its start.
    std::optional<WallTime> last_check;
    std::optional<WallTime> check_fails_since;

    bool operator==(const TunnelStatus&) const = default;
};

}  // namespace keyturn
