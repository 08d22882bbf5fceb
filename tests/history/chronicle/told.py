"""What each kind of event means for a rotation."""

PROGRESS = {"secret_committed", "token_delivered", "batch_started", "unit_restarting",
            "unit_verified", "soak_started", "soak_ended", "rotation_done", "surge_started",
            "surge_stopped", "connector_evicted", "locked_out"}
TAKEN_UP = {"rotation_resumed", "rotation_held", "rotation_orphaned", "state_unreadable",
            "daemon_started"}
WAITS = {"rotation_waiting", "rotation_continued"}
SETTLED = {"secret_committed", "token_delivered", "foreign_rotation"}
OF_A_HOST = {"token_received", "turn_taken", "turn_ended", "unit_revived"}  # Of a fleet.
PAUSES = {"tunnel_paused", "tunnel_unpaused"}
OF_THE_TUNNEL = PAUSES | OF_A_HOST | {  # Not about its rotation, as the lead tells it.
    "rotation_postponed", "token_unknown", "token_outdated", "finding_began", "finding_ended"}
MOVES = ("adopt", "release")  # RESULT of a rotation that only moves units; the token stays.
BEFORE_COMMIT = ("preflight", "prepare")
NEVER_UNNAMED = {"rotation_resumed", "hold_lifted", "drift_unknown", "foreign_connector",
                 "rotation_orphaned", "state_unreadable", "token_file_missing"}
NAMES_IT = {"rotation_started", "foreign_rotation"}
NEWS_OF_A_REST = {"rotation_continued", "rotation_waiting", "unit_verified"}
