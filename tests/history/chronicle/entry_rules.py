"""Rules that concern a single entry."""

import re

from chronicle.rule import rule
from chronicle.told import MOVES, OF_A_HOST

ALERT = "1"
NEEDS_UNIT = {"unit_restarting", "unit_verified", "unit_left_stopped", "unit_spared",
              "start_limit_kept", "token_unknown", "token_outdated",
              "replica_decaying", "replica_promoted", "surge_started", "surge_stopped",
              "turn_taken", "turn_ended", "unit_revived"}
# Not about a particular tunnel.
OUTSIDE = {"daemon_started", "daemon_stopping", "policy_reloaded", "policy_refused"}
IDLE = {"state_unreadable", "token_file_missing", "foreign_connector", "drift_unknown",
        "tunnel_paused", "tunnel_unpaused", "rotation_postponed", "token_unknown",
        "token_outdated", "finding_began", "finding_ended", *OF_A_HOST}
IDLE_TOO = {"token_file_changed"}  # Belongs to a rotation only if one is open.
# The id comes with the secret, so earlier events have none, whatever id the rotation gets later.
MAY_BE_UNNAMED = {"rotation_resumed", "rotation_waiting", "rotation_continued", "rotation_held",
                  "hold_urgent", "hold_lifted", "rotation_refused", "unit_left_stopped"}
UNNAMED_YET = {"preflight", "prepare"}
NEEDS_TURN = {"turn_taken", "turn_ended"}
NEEDS_BATCH = {"batch_started", "unit_restarting", "unit_verified", "soak_started", "soak_ended"}
RESULTS = {"unit_verified": ("verified",), "rotation_waiting": ("waiting",),
           "rotation_held": ("held",), "hold_urgent": ("held", "paused"),
           "rotation_refused": ("refused",), "rotation_done": ("done",),
           "rotation_paused": ("paused",), "rotation_reverting": ("reverting",),
           "rotation_postponed": ("window", "freeze", "never"),
           "locked_out": ("done",), "rotation_started": ("", "compromised", *MOVES),
           "rotation_resumed": ("", "compromised", *MOVES),
           "connector_evicted": ("", "all", "doubtful")}
BASE64_RUN = re.compile(r"[A-Za-z0-9+/]{40,}")
# The path of an account at the API with a whole id. It is no secret, and people compare ids. The
# text before and after it is checked separately.
ACCOUNT_PATH = re.compile(r"(?:/client/v4)?/accounts/[0-9a-f]{32}(?![A-Za-z0-9+])")
API_TOKEN = re.compile(r"\bcf[ua]t_\w")


@rule("known", "Every event of keyturnd has a kind that this checker knows.", looks_back=False)
def known(_story, event, _policy):
    if event["MESSAGE_ID"] and not event.kind:
        return "the MESSAGE_ID %s is unknown" % event["MESSAGE_ID"]
    return None


@rule("ids", "Every event has the fields to find it: tunnel, rotation, phase, unit, fingerprint.",
      looks_back=False)
def ids(story, event, _policy):
    if not event.kind or event.kind in OUTSIDE:
        return None
    idle = event.kind in IDLE or (event.kind in IDLE_TOO and not (story and story.open))
    needed = ["TUNNEL_NAME"]
    if event.kind != "rotation_orphaned":  # Without a policy the id is unknown.
        needed.append("TUNNEL_ID")
    if not idle:
        needed.append("PHASE")
    named = story is not None and story.open and event.phase not in UNNAMED_YET
    # The state on the disk may be older than the last event.
    resumed = event.kind == "rotation_resumed" and event.phase == "commit"
    named = named and not resumed and not story.settling_token and not story.may_be_over
    if not idle and (named or event.kind not in MAY_BE_UNNAMED):
        needed.append("ROTATION_ID")
        # The agent lifts a hold, but only the rotation knows the fingerprint.
        needed += ["FINGERPRINT"] if event.kind != "hold_lifted" else []
    needed += ["ROTATION_ID", "FINGERPRINT"] if event.kind in NEEDS_TURN else []
    needed += ["TARGET_UNIT"] if event.kind in NEEDS_UNIT else []
    no_plan = story is not None and (story.without_batches or story.evicts_all)
    needed += ["BATCH"] if event.kind in NEEDS_BATCH and not no_plan else []
    missing = [name for name in needed if not event[name]]
    return "no %s" % ", no ".join(missing) if missing else None


@rule("secrets", "No text of keyturnd looks like a secret.", looks_back=False)
def secrets(_story, event, _policy):
    for name, whole in event.own_fields().items():
        text = ACCOUNT_PATH.sub(" ", whole)
        for pattern, what in ((BASE64_RUN, "%d characters of base64"),
                              (API_TOKEN, "an API token (%d characters shown)")):
            if found := pattern.search(text):
                return "%s has %s" % (name, what % len(found.group()))
    return None


@rule("alarm", "A hold and a revert are reported with alert priority.", "rotation_held",
      "hold_urgent", "rotation_orphaned", "rotation_reverting", "foreign_connector",
      "token_outdated", looks_back=False)
def alarm(_story, event, _policy):
    if event["PRIORITY"] != ALERT:
        return "its PRIORITY is %s" % event["PRIORITY"]
    return None


@rule("result", "RESULT agrees with MESSAGE_ID.", *RESULTS, looks_back=False)
def result(_story, event, _policy):
    if event["RESULT"] not in RESULTS[event.kind]:
        return "its RESULT is %r" % event["RESULT"]
    return None


RULES = (known, ids, secrets, alarm, result)
