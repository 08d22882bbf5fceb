#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// What can happen, one entry for each kind. Every kind has a fixed MESSAGE_ID and a catalog entry
/// (systemd/keyturn.catalog): what happened, what is safe, what to do.
enum class EventKind {
    daemon_started,
    daemon_stopping,
    policy_reloaded,  ///< keyturnd uses a new policy, tunnel by tunnel.
    policy_refused,   ///< A new policy has errors; keyturnd keeps the old one.
    rotation_started,
    rotation_refused,  ///< The preflight failed; nothing was touched.
    rotation_resumed,  ///< Continues from the phase on disk after a restart of the daemon.
    secret_prepared,   ///< The new secret is on disk and staged; the API does not know it yet.
    secret_committed,  ///< The API has the new secret; the old token opens no new connection.
    token_delivered,   ///< Every token file contains the new token.
    batch_started,
    unit_restarting,
    start_limit_kept,  ///< polkit allows restarting a unit but not resetting its start limit.
    unit_verified,
    unit_spared,        ///< In a revert: a unit has never left the old token.
    unit_passed_over,   ///< A unit in the policy is not a connector of this tunnel.
    unit_left_stopped,  ///< A planned unit is not running: it gets the file but is not started.
    soak_started,
    soak_restarted,  ///< Something was not healthy, so the soak starts over.
    soak_ended,
    replica_decaying,    ///< A unit on the old token lost connections that it cannot get back.
    replica_promoted,    ///< It lost half of its connections and is restarted next.
    rotation_waiting,    ///< The API, the bus or a disk is down; retries automatically.
    rotation_continued,  ///< What the rotation waited for is back.
    rotation_held,       ///< A person has to decide: `keyturnctl retry`.
    hold_urgent,         ///< Held, and fewer replicas serve than min_available.
    hold_lifted,
    tunnel_paused,       ///< An operator wants no rotation and no further restart for now.
    tunnel_unpaused,     ///< The operator ended the pause.
    rotation_paused,     ///< A rotation reached its next step and stops there because of a pause.
    rotation_reverting,  ///< The old secret is sent again, and restarted units go back to it.
    surge_started,       ///< An extra connector helps out while units restart.
    surge_stopped,
    connector_evicted,   ///< After a compromise: Cloudflare was told to drop a connector.
    lockout_blocked,     ///< After a compromise: somebody may stay connected until a person helps.
    locked_out,          ///< After a compromise: Cloudflare lists only our own connectors.
    foreign_rotation,    ///< Somebody else changed the secret; keyturnd adopts their token.
    foreign_connector,   ///< Somebody else runs a connector with the tunnel's token.
    drift_unknown,       ///< Cloudflare cannot be asked whether the token is still right.
    token_file_changed,  ///< Somebody else changed the token file; keyturnd writes it again.
    token_unknown,       ///< It is unknown which token a unit runs on.
    token_outdated,      ///< A unit runs on another token than the delivered one.
    finding_began,       ///< A condition would make the next rotation refuse.
    finding_ended,       ///< That condition has ended.
    token_put_back,      ///< The API kept the old secret, so the old files are back.
    straggler_seen,      ///< The API still lists a connector from before the commit.
    rotation_done,
    rotation_postponed,  ///< Due, but waits for a window or the end of a freeze.
    rotation_orphaned,   ///< A rotation is open, but its tunnel is no longer in the policy.
    state_unreadable,
    token_file_missing,  ///< There is no token file yet, and it cannot be written, so units cannot
                         ///< start.
    token_received,      ///< In a fleet: the token file of this host contains the fleet's token.
    turn_taken,          ///< In a fleet: this host restarts a unit in its turn.
    turn_ended,          ///< In a fleet: the restart of this turn has succeeded or failed.
    unit_revived,        ///< In a fleet: a unit that had no connection restarts without a turn.
};

/// The levels of syslog(3), which the journal uses.
enum class Priority { alert = 1, critical = 2, error = 3, warning = 4, notice = 5, info = 6 };

/// One structured entry of the journal, without its empty fields.
struct Event {
    EventKind kind = EventKind::daemon_started;
    Priority priority = Priority::info;
    std::string message{};      ///< MESSAGE: a sentence for a person.
    std::string tunnel_name{};  ///< TUNNEL_NAME
    std::string tunnel_id{};    ///< TUNNEL_ID
    std::string rotation_id{};  ///< ROTATION_ID
    std::string target_unit{};  ///< TARGET_UNIT
    std::string batch{};        ///< BATCH: "1/2"
    std::string phase{};        ///< PHASE
    std::string result{};       ///< RESULT: done, refused, waiting, held, ...
    std::string fingerprint{};  ///< FINGERPRINT of the new token
    std::string fleet_host{};   ///< FLEET_HOST: the name of this host in its fleet
    std::string fleet_epoch{};  ///< FLEET_EPOCH: how often the lead has changed
    std::string fleet_rev{};    ///< FLEET_REV: the newest revision of the object that it knows

    bool operator==(const Event&) const = default;
};

/// The name of a kind, such as "rotation_held", for RESULT fields, tests and tables.
[[nodiscard]] std::string_view name_of(EventKind kind);

/// The MESSAGE_ID of a kind: 32 hex digits that never change.
[[nodiscard]] std::string_view message_id_of(EventKind kind);

}  // namespace keyturn
