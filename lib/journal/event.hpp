#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// What can happen, one entry each. Every kind has a fixed MESSAGE_ID and a catalog entry
/// (systemd/keyturn.catalog): what happened, what is safe, what to do.
enum class EventKind {
    daemon_started,
    daemon_stopping,
    policy_reloaded,  ///< A new policy has been taken, tunnel by tunnel.
    policy_refused,   ///< A new policy is wrong: the old one stays.
    rotation_started,
    rotation_refused,  ///< Preflight said no: nothing was touched.
    rotation_resumed,  ///< After a restart of the daemon, from the phase on disk.
    secret_prepared,   ///< The new secret is on disk and staged; the API knows nothing yet.
    secret_committed,  ///< The API holds the new secret: the old token opens no new connection.
    token_delivered,   ///< Every token file holds the new token.
    batch_started,
    unit_restarting,
    start_limit_kept,  ///< polkit lets us restart a unit and not reset its count of starts.
    unit_verified,
    unit_spared,        ///< On the way back: a unit has never left the old token.
    unit_passed_over,   ///< A unit that the policy names is no connector of this tunnel.
    unit_left_stopped,  ///< A planned unit is not running: it gets the file and is not started.
    soak_started,
    soak_restarted,  ///< Something was not healthy: the soak begins anew.
    soak_ended,
    replica_decaying,    ///< A unit on the old token lost connections that it cannot get back.
    replica_promoted,    ///< It lost half of them: it is restarted next.
    rotation_waiting,    ///< The API, the bus or a disk is down: goes on by itself.
    rotation_continued,  ///< What was waited for is back.
    rotation_held,       ///< A person has to decide: `keyturnctl retry`.
    hold_urgent,         ///< Held, and fewer replicas serve than min_available.
    hold_lifted,
    tunnel_paused,       ///< An operator wants no rotation and no further restart for now.
    tunnel_unpaused,     ///< And takes that back.
    rotation_paused,     ///< A rotation has come to where it would go on, and does not.
    rotation_reverting,  ///< The old secret is sent again, and what was restarted goes back to it.
    surge_started,       ///< An extra connector helps out while the units are restarted.
    surge_stopped,
    connector_evicted,   ///< After a compromise: Cloudflare was told to drop a connector.
    lockout_blocked,     ///< After a compromise: somebody may stay attached until a person helps.
    locked_out,          ///< After a compromise: Cloudflare lists ours alone.
    foreign_rotation,    ///< Somebody else changed the secret: their token is taken over.
    foreign_connector,   ///< Somebody runs a connector with the tunnel's token.
    drift_unknown,       ///< Cloudflare cannot be asked whether the token is still right.
    token_file_changed,  ///< Somebody else changed the token file: it is written again.
    token_unknown,       ///< It is not known which token a unit runs on.
    token_outdated,      ///< A unit runs on another token than the one that was delivered.
    finding_began,       ///< Something would have the next rotation refused.
    finding_ended,       ///< And would no more.
    token_put_back,      ///< The API kept the old secret, so the old files are back.
    straggler_seen,      ///< The API still lists a connector from before the commit.
    rotation_done,
    rotation_postponed,  ///< Due, and waits for a window or the end of a freeze.
    rotation_orphaned,   ///< Its rotation is open, and the tunnel is no more in the policy.
    state_unreadable,
    token_file_missing,  ///< There is no token file yet and it cannot be written: units cannot
                         ///< start.
};

/// syslog levels, as the journal wants them.
enum class Priority { alert = 1, critical = 2, error = 3, warning = 4, notice = 5, info = 6 };

/// One structured entry of the journal. Empty fields are left out.
struct Event {
    EventKind kind = EventKind::daemon_started;
    Priority priority = Priority::info;
    std::string message;      ///< MESSAGE: a sentence for a person.
    std::string tunnel_name;  ///< TUNNEL_NAME
    std::string tunnel_id;    ///< TUNNEL_ID
    std::string rotation_id;  ///< ROTATION_ID
    std::string target_unit;  ///< TARGET_UNIT
    std::string batch;        ///< BATCH: "1/2"
    std::string phase;        ///< PHASE
    std::string result;       ///< RESULT: done, refused, waiting, held, ...
    std::string fingerprint;  ///< FINGERPRINT of the new token

    bool operator==(const Event&) const = default;
};

/// "rotation_held": for RESULT fields, tests and tables.
[[nodiscard]] std::string_view name_of(EventKind kind);

/// The MESSAGE_ID of a kind: 32 hex digits that never change.
[[nodiscard]] std::string_view message_id_of(EventKind kind);

/// Every kind, in the order of the enumeration.
[[nodiscard]] const std::vector<EventKind>& all_event_kinds();

}  // namespace keyturn
