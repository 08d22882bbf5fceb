"""What each kind of event means for a rotation."""

PROGRESS = {"secret_committed", "token_delivered", "batch_started", "unit_restarting",
            "unit_verified", "soak_started", "soak_ended", "rotation_done", "surge_started",
            "surge_stopped", "connector_evicted", "locked_out"}
TAKEN_UP = {"rotation_resumed", "rotation_held", "rotation_orphaned", "state_unreadable",
            "daemon_started"}
SETTLED = {"secret_committed", "token_delivered", "foreign_rotation"}
OF_THE_TUNNEL = {"tunnel_paused", "tunnel_unpaused", "rotation_postponed", "token_unknown",
                 "token_outdated", "finding_began", "finding_ended"}  # Not about its rotation.
MOVES = ("adopt", "release")  # RESULT of a rotation that only moves units; the token stays.
BEFORE_COMMIT = ("preflight", "prepare")
NEVER_UNNAMED = {"rotation_resumed", "hold_lifted", "drift_unknown", "foreign_connector",
                 "rotation_orphaned", "state_unreadable", "token_file_missing"}
NAMES_IT = {"rotation_started", "foreign_rotation"}
NEWS_OF_A_REST = {"rotation_continued", "rotation_waiting", "unit_verified"}
