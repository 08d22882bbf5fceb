"""Histories for tests, in short lines: `+5 unit_restarting a 1/2 PRIORITY=6`.

`+5` means five seconds later (`-5`: earlier). Then come the kind, a unit and a batch if there are
any, and fields with other values than usual.
"""

import json

from chronicle.entry import KINDS, read_entries
from chronicle.told import OF_THE_TUNNEL

IDS = {name: number for number, name in KINDS.items()}
PHASES = {"rotation_started": "prepare", "secret_prepared": "prepare", "secret_committed": "commit",
          "token_delivered": "commit", "foreign_rotation": "commit", "token_put_back": "commit",
          "soak_started": "soak", "soak_restarted": "soak", "soak_ended": "soak",
          "replica_promoted": "soak", "rotation_done": "finish", "rotation_refused": "preflight",
          "rotation_reverting": "reverting", "locked_out": "finish"}
ALARMS = {"rotation_held", "hold_urgent", "rotation_orphaned", "foreign_connector",
          "rotation_reverting", "token_outdated"}
RESULTS = {"unit_verified": "verified", "rotation_waiting": "waiting", "rotation_held": "held",
           "hold_urgent": "held", "rotation_refused": "refused", "rotation_done": "done",
           "rotation_paused": "paused", "rotation_reverting": "reverting", "locked_out": "done",
           "rotation_postponed": "window"}
NAMELESS = {"daemon_started", "daemon_stopping", "policy_reloaded", "policy_refused"}
POLICY = ["units=a,b", "batches=2", "settle=5s", "soak=10s", "min_healthy_time=2s",
          "min_interval=1h", "surge=auto", "slack=0", "ends=yes"]

MADE = ["daemon_started", "rotation_started", "secret_prepared", "secret_committed",
        "token_delivered"]
FIRST = ["+5 batch_started 1/2", "unit_restarting a 1/2", "+3 unit_verified a 1/2"]
SOAK = ["soak_started 1/2", "+10 soak_ended 1/2"]
SECOND = ["batch_started 2/2", "unit_restarting b 2/2", "+3 unit_verified b 2/2"]
DONE = ["+2 rotation_done 2/2"]
WHOLE = MADE + FIRST + SOAK + SECOND + DONE


def swap(story, old, *new):
    """Return the story with the first line that begins like this replaced by others."""
    place = next(i for i, line in enumerate(story) if line.startswith(old))
    return story[:place] + list(new) + story[place + 1:]


def _usual_fields(kind):
    fields = {"MESSAGE": kind, "MESSAGE_ID": IDS[kind], "SYSLOG_IDENTIFIER": "keyturnd",
              "PRIORITY": "1" if kind in ALARMS else "5", "_BOOT_ID": "1"}
    if kind in RESULTS:
        fields["RESULT"] = RESULTS[kind]
    if kind not in NAMELESS:
        fields.update({"TUNNEL_NAME": "web", "TUNNEL_ID": "f70ff985", "ROTATION_ID": "r1",
                       "FINGERPRINT": "f1", "PHASE": PHASES.get(kind, "roll")})
    if kind in OF_THE_TUNNEL:
        fields.update({"ROTATION_ID": "", "FINGERPRINT": "", "PHASE": ""})
    return fields


def journal(story):
    """Return the journal lines of this story."""
    lines = []
    now = 10**9
    for line in story:
        words = line.split(" ")
        if words[0][0] in "+-":
            now += round(float(words.pop(0)) * 10**6)
        fields = _usual_fields(words.pop(0))
        fields["__MONOTONIC_TIMESTAMP"] = str(now)
        fields["__REALTIME_TIMESTAMP"] = str(10**15 + now)
        for word in words:
            key, equals, value = word.partition("=")
            if equals:
                fields[key] = value
            else:
                fields["BATCH" if "/" in word else "TARGET_UNIT"] = word
        lines.append(json.dumps({key: value for key, value in fields.items() if value}))
    return lines


def entries(story):
    """Return the entries of this story."""
    return read_entries(journal(story))
