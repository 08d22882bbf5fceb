"""Histories that follow every rule, and for each rule histories that break it."""

from telling import DONE, FIRST, MADE, SECOND, SOAK, WHOLE, swap

BASE64 = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0cw"
ACCOUNT = "/client/v4/accounts/699d98642c564d2e855e9661899b7252"
RESUMED = ["daemon_started", "rotation_resumed PHASE=roll"]
HELD = MADE + ["+5 batch_started 1/2", "unit_restarting a 1/2", "+9 rotation_held a 1/2"]
LIFTED = ["+60 hold_lifted FINGERPRINT=", "rotation_resumed 1/2", "token_delivered 1/2 PHASE=roll",
          "batch_started 1/2"]
AGAIN = ["unit_restarting a 1/2", "+3 unit_verified a 1/2"]
REST = SOAK + SECOND + DONE
NEXT = [line + " ROTATION_ID=r2 FINGERPRINT=f2" for line in WHOLE[1:]]
REPLACED = ["soak_started 1/2", "+4 soak_restarted a 1/2", "+3 unit_verified a 1/2",
            "+10 soak_ended 1/2"]
PROMOTED = ["soak_started 1/2", "+4 replica_promoted b 1/2", "unit_restarting b 1/2",
            "+3 unit_verified b 1/2", "soak_started 1/2", "+10 soak_ended 1/2"]
FOREIGN = ["foreign_rotation FINGERPRINT=f2"] + [
    line + " FINGERPRINT=f2" for line in ["token_delivered", *FIRST, *REST]]
KILLED_AFTER_FOREIGN = ["foreign_rotation FINGERPRINT=f2", "daemon_started",
                        "rotation_resumed PHASE=commit"]
COMMITTED_BUT_PUT_BACK = MADE + [
    "+120 token_put_back", "rotation_held PHASE=commit", "+60 hold_lifted FINGERPRINT=",
    "rotation_resumed PHASE=commit"]
USELESS = MADE + ["+5 batch_started 1/2", "unit_restarting a 1/2", "rotation_waiting 1/2",
                  "+1 rotation_continued 1/2", "unit_restarting b 1/2", "+3 unit_verified b 1/2"]
NEVER_RESTARTED = MADE + [
    "+5 batch_started 1/2", "unit_restarting a 1/2", *RESUMED, "token_delivered 1/2 PHASE=roll",
    "+1 replica_promoted b 1/2", "unit_restarting b 1/2", "+3 unit_verified b 1/2"]
REFUSED = ["daemon_started", "rotation_refused ROTATION_ID= FINGERPRINT="]
UNSOAKED = swap(WHOLE, "+10 soak_ended", "+10 replica_decaying b 1/2")

SURGED = ["+5 batch_started 1/2", "surge_started s 1/2", "+3 unit_verified s 1/2", *FIRST[1:],
          *SOAK, *SECOND]
STOPPED = ["surge_stopped s 2/2"]
AFTER_LAST = ["+3600 " + NEXT[0], *NEXT[1:4]]  # Its token was f1, and is f2.
BACK = ["rotation_reverting", "+1 secret_committed PHASE=reverting",
        "token_delivered PHASE=reverting", "+5 batch_started 1/2"]
BACK_AGAIN = BACK + FIRST[1:] + ["batch_started 2/2", "+2 rotation_done 2/2"]
LATER = [line + " ROTATION_ID=r2 FINGERPRINT=f2" for line in FIRST + SOAK[:1]]
LATER_BACK = [line + " ROTATION_ID=r2 FINGERPRINT=f1" for line in BACK_AGAIN]
PAUSED = MADE + FIRST + SOAK + ["tunnel_paused PHASE=roll", "batch_started 2/2",
                                "rotation_paused 2/2"]
RESUMED_LATER = ["+99 tunnel_unpaused PHASE=roll", "rotation_continued 2/2", *SECOND[1:], *DONE]


def compromise(rotation="r3", fingerprint="f3"):
    """Return a rotation after a compromise: at once, without soaks, until others are locked out."""
    first = "rotation_started RESULT=compromised"
    lines = [first, *MADE[2:], "connector_evicted PHASE=commit", "batch_started 1/2", *FIRST[1:],
             *SECOND, "+4 locked_out 2/2", *DONE]
    return [line + " ROTATION_ID=%s FINGERPRINT=%s" % (rotation, fingerprint) for line in lines]


LOST = compromise()
ALL_AT_ONCE = LOST[:4] + [
    line + " ROTATION_ID=r3 FINGERPRINT=f3" for line in [
        "connector_evicted RESULT=all PHASE=commit", "unit_restarting a", "unit_restarting b",
        "+3 unit_verified a", "+3 unit_verified b", "batch_started 1/2", "batch_started 2/2",
        "+4 locked_out 2/2", *DONE]]
MOVED = ["daemon_started", "rotation_started RESULT=adopt", "token_delivered", *FIRST, *SOAK,
         "batch_started 2/2", *DONE]
MOVED_AGAIN = [line + " ROTATION_ID=r2" for line in ["rotation_started RESULT=release",
                                                     *MOVED[2:]]]
UNNAMED_WAIT = ["rotation_waiting ROTATION_ID= FINGERPRINT= PHASE=preflight",
                "+9 rotation_continued ROTATION_ID= FINGERPRINT= PHASE=preflight"]

KEEPS = {
    "a whole rotation": WHOLE,
    "another one, later": WHOLE + ["+3600 " + NEXT[0]] + NEXT[1:],
    "after waiting for its window": ["daemon_started", "rotation_postponed"] + WHOLE[1:],
    "refused": REFUSED,
    "refused with an API path in its text": [
        "daemon_started", REFUSED[1] + " MESSAGE=" + ACCOUNT + "/cfd_tunnel/token"],
    "refused, then done": REFUSED + WHOLE[1:],
    "refused at the commit": MADE[:3] + ["rotation_refused"],
    "held, then lifted": HELD + LIFTED + AGAIN + REST,
    "held across a restart": HELD + [
        "daemon_started", "rotation_held a 1/2"] + LIFTED + AGAIN + REST,
    "held, and urgent": HELD + ["hold_urgent a 1/2"] + LIFTED + AGAIN + REST,
    "killed while a unit restarts": MADE + FIRST[:2] + RESUMED + [
        "token_delivered PHASE=roll", "+3 unit_verified a 1/2", "batch_started 1/2"] + REST,
    "killed in the soak": MADE + FIRST + SOAK[:1] + RESUMED + [
        "token_delivered PHASE=roll", "batch_started 1/2"] + REST,
    "killed before it could report that it is done": WHOLE[:-1] + ["daemon_started"] + [
        "+3600 " + NEXT[0]] + NEXT[1:],
    "killed before the commit, and the secret is useless": MADE[:3] + [
        "daemon_started", "rotation_resumed ROTATION_ID= FINGERPRINT= PHASE=prepare"] + NEXT,
    "waits and continues": swap(WHOLE, "token_delivered", "rotation_waiting",
                                "+9 rotation_continued", "token_delivered"),
    "killed while it waits": MADE + ["rotation_waiting"] + RESUMED + FIRST + REST,
    "a restart that did not happen": USELESS + ["unit_restarting a 1/2", "+3 unit_verified a 1/2"]
    + SOAK + ["batch_started 2/2", "+2 rotation_done 2/2"],
    "one without a connection, before one whose restart a crash interrupted": NEVER_RESTARTED + [
        "unit_restarting a 1/2", "+3 unit_verified a 1/2"]
    + SOAK + ["batch_started 2/2", "+2 rotation_done 2/2"],
    "replaced in the soak": MADE + FIRST + REPLACED + SECOND + DONE,
    "promoted": MADE + FIRST + PROMOTED + ["batch_started 2/2", "+2 rotation_done 2/2"],
    "left stopped": MADE + FIRST + SOAK + [
        "batch_started 2/2", "unit_left_stopped b 2/2", "rotation_done 2/2"],
    "somebody else's token, found while nothing was open": [
        "daemon_started", "drift_unknown PHASE= ROTATION_ID= FINGERPRINT="] + FOREIGN,
    "somebody else's token": MADE + FIRST + FOREIGN,
    "killed after somebody else's token was reported": MADE + FIRST + KILLED_AFTER_FOREIGN + [
        "secret_committed FINGERPRINT=f2", "token_delivered FINGERPRINT=f2"] + [
        line + " FINGERPRINT=f2" for line in FIRST + REST],
    "somebody else's token, after a rotation that was killed before it could report its end":
    WHOLE[:-1] + ["daemon_started"] + [
        line + " ROTATION_ID=r2 FINGERPRINT=f2"
        for line in ["foreign_rotation", "token_delivered", *FIRST, *REST]],
    "waiting for somebody else's token, after such a rotation": WHOLE[:-1] + [
        "daemon_started", *[line + " ROTATION_ID= FINGERPRINT= PHASE=commit"
                            for line in ["rotation_waiting", "+9 rotation_continued"]]] + [
        line + " ROTATION_ID=r2 FINGERPRINT=f2"
        for line in ["foreign_rotation", "token_delivered", *FIRST, *REST]],
    "somebody else's token, after a compromise that was killed before it could report its end":
    ["daemon_started", *LOST[:-1], "daemon_started"] + [
        line + " ROTATION_ID=r4 FINGERPRINT=f4"
        for line in ["foreign_rotation", "token_delivered", *FIRST, *REST]],
    "put back and sent again": COMMITTED_BUT_PUT_BACK + MADE[3:] + FIRST + REST,
    "another boot": MADE + FIRST + ["-900 daemon_started _BOOT_ID=2"] + [
        line + " _BOOT_ID=2"
        for line in [RESUMED[1], "token_delivered PHASE=roll", *FIRST[:1], *REST]],
    "a surge": MADE + SURGED + STOPPED + DONE,
    "a surge that could not be stopped until a person did": MADE + SURGED + [
        "rotation_held s 2/2", "+60 hold_lifted FINGERPRINT=", "rotation_resumed 2/2",
        "token_delivered 2/2 PHASE=roll", "batch_started 2/2", *DONE],
    "killed between the stop of a surge and its report": MADE + SURGED + [
        "daemon_started", "rotation_resumed 2/2", "token_delivered 2/2 PHASE=roll",
        "batch_started 2/2", *DONE],
    "reverted": WHOLE + AFTER_LAST + ["token_delivered ROTATION_ID=r2 FINGERPRINT=f2"] + LATER
    + LATER_BACK,
    "reverted out of a hold": HELD + BACK_AGAIN,
    "reverted while the disk was full": MADE + FIRST + [
        "rotation_waiting PHASE=reverting FINGERPRINT=f0",
        "+9 rotation_continued PHASE=reverting FINGERPRINT=f0"] + [
            line + " FINGERPRINT=f0" for line in BACK_AGAIN],
    "killed before it could report that it reverts": MADE + FIRST + [
        line + " FINGERPRINT=f0" for line in [
            "daemon_started", "rotation_resumed PHASE=reverting", *BACK_AGAIN[1:]]],
    "paused": PAUSED + RESUMED_LATER,
    "paused, then reverted": PAUSED + BACK[:3] + [
        "rotation_paused", "hold_urgent RESULT=paused", "+99 tunnel_unpaused PHASE=roll",
        "rotation_continued", *BACK_AGAIN[3:]],
    "paused before the secret was made": [
        "daemon_started", "tunnel_paused PHASE=prepare", *MADE[1:3],
        "rotation_paused PHASE=prepare", "+99 tunnel_unpaused PHASE=prepare",
        "rotation_continued PHASE=prepare", *MADE[3:], *FIRST, *REST],
    "compromised": ["daemon_started", *LOST],
    "compromised while paused and held": HELD + ["tunnel_paused PHASE=roll", *LOST],
    "compromised, and waits before it has an id": MADE + FIRST + UNNAMED_WAIT + LOST,
    "compromised, but that was lost in a crash": MADE + FIRST + UNNAMED_WAIT + RESUMED + [
        "token_delivered PHASE=roll", "batch_started 1/2", *REST],
    "compromised, killed, and waits before it has an id": MADE + FIRST + [
        "daemon_started", "rotation_resumed RESULT=compromised ROTATION_ID= FINGERPRINT= "
        "PHASE=preflight", *LOST],
    "compromised, with an older record": ["daemon_started", *LOST[:-2]] + [
        line + " ROTATION_ID=r3 FINGERPRINT=f3" for line in [
            "daemon_started", "rotation_resumed PHASE=roll", "secret_committed PHASE=roll",
            "batch_started 1/2", *FIRST[1:], *SECOND, "+4 locked_out 2/2", *DONE]],
    "compromised, with all connectors evicted": ["daemon_started", *ALL_AT_ONCE],
    "units moved onto the token file, and at once once more": MOVED + MOVED_AGAIN,
    "moved, refused": ["daemon_started", "rotation_started RESULT=adopt", "rotation_refused"],
    "moved, held, and moved back": MOVED[:5] + [
        "+9 rotation_held a 1/2", "rotation_reverting", "+5 batch_started 1/2",
        "unit_restarting a 1/2", "+3 unit_verified a 1/2", *SECOND[:1], "unit_spared b 2/2",
        *DONE],
    "moved, and somebody else's token": MOVED[:-1] + FOREIGN,
    "moved, and killed": MOVED[:6] + [
        "daemon_started", "rotation_resumed PHASE=roll RESULT=release",
        "token_delivered PHASE=roll", "batch_started 1/2", *SOAK, *SECOND, *DONE],
    "the end of a rotation that began before": ["rotation_resumed PHASE=roll"] + REST,
}

BREAKS = {
    "clock": {"goes back within a boot": WHOLE[:-1] + ["-1 rotation_done 2/2"]},
    "known": {"another id": swap(WHOLE, "soak_started", "soak_started 1/2 MESSAGE_ID=0123")},
    "ids": {
        "no rotation": swap(WHOLE, "token_delivered", "token_delivered ROTATION_ID="),
        "no unit": swap(WHOLE, "unit_restarting", "unit_restarting 1/2"),
        "no batch": swap(WHOLE, "unit_restarting", "unit_restarting a"),
        "no fingerprint": swap(WHOLE, "token_delivered", "token_delivered FINGERPRINT="),
        "no tunnel": swap(WHOLE, "token_delivered", "token_delivered TUNNEL_ID="),
    },
    "secrets": {
        "base64": swap(WHOLE, "token_delivered", "token_delivered MESSAGE=" + BASE64),
        "base64 after an account": swap(
            WHOLE, "token_delivered", "token_delivered MESSAGE=%s/%s" % (ACCOUNT, BASE64)),
        "base64 before an account": swap(
            WHOLE, "token_delivered", "token_delivered MESSAGE=" + BASE64 + ACCOUNT),
        "hex that is longer than an account": swap(
            WHOLE, "token_delivered", "token_delivered MESSAGE=%s01234567" % ACCOUNT),
        "base64 outside an account's path": swap(
            WHOLE, "token_delivered", "token_delivered MESSAGE=" + "0123456789abcdef" * 3),
        "an API token": swap(WHOLE, "token_delivered", "token_delivered MESSAGE=cfut_abc"),
        "in another field": swap(WHOLE, "token_delivered", "token_delivered RESULT=" + BASE64),
    },
    "alarm": {"a notice": HELD[:-1] + ["rotation_held a 1/2 PRIORITY=5"]},
    "result": {"another word": WHOLE[:-1] + ["+2 rotation_done 2/2 RESULT=refused"]},
    "one_secret": {
        "another one": swap(WHOLE, "+10 soak_ended", "+10 soak_ended 1/2 FINGERPRINT=f2"),
        "the old one, after somebody else's": MADE + FIRST + KILLED_AFTER_FOREIGN + MADE[3:] + FIRST
        + REST,
    },
    "stranger": {"its own": MADE + FIRST + ["foreign_rotation"]},
    "order": {
        "prepared first": swap(WHOLE, "rotation_started", "daemon_stopping"),
        "never prepared": swap(WHOLE, "secret_prepared", "daemon_stopping"),
        "never committed": swap(WHOLE, "secret_committed", "daemon_stopping"),
        "never delivered": swap(WHOLE, "token_delivered", "daemon_stopping"),
        "restarted before its batch": swap(WHOLE, "+5 batch_started", "+5 daemon_stopping"),
        "second batch first": swap(WHOLE, "+5 batch_started", "+5 batch_started 2/2"),
        "soaked after the last": WHOLE[:-1] + ["soak_started 2/2", "+10 soak_ended 2/2", *DONE],
        "soak that never began": swap(WHOLE, "soak_started", "daemon_stopping"),
        "done after the first half": MADE + FIRST + ["+2 rotation_done 1/2"],
        "put back but not sent again": COMMITTED_BUT_PUT_BACK + MADE[4:] + FIRST + REST,
    },
    "delivered": {
        "never": swap(WHOLE, "token_delivered", "daemon_stopping"),
        "somebody else's token": MADE + FIRST + FOREIGN[:1] + FOREIGN[2:],
    },
    "refused": {"after the commit": MADE[:4] + ["rotation_refused"],
                "after a restart": MADE + FIRST + ["rotation_refused"]},
    "one_rotation": {"two at once": MADE + FIRST + NEXT,
                     "two commits": MADE[:4] + ["daemon_started", *NEXT]},
    "resumed": {
        "without a cause": MADE + ["rotation_resumed"] + FIRST + REST,
        "not at all": MADE + ["daemon_started"] + FIRST + REST,
        "before the commit": MADE + ["daemon_started", "rotation_resumed PHASE=prepare"],
    },
    "interval": {"too soon": WHOLE + ["+60 " + NEXT[0]] + NEXT[1:]},
    "settle": {"too soon": swap(WHOLE, "+5 batch_started", "+1 batch_started 1/2")},
    "batch": {
        "no number": swap(WHOLE, "soak_started", "soak_started one/two"),
        "beyond the last": swap(WHOLE, "soak_started", "soak_started 3/2"),
        "another count": swap(WHOLE, "soak_started", "soak_started 1/3"),
        "back": WHOLE[:-1] + ["+2 rotation_done 1/2"],
        "more than the policy has": swap(WHOLE, "+5 batch_started", "+5 batch_started 1/3"),
    },
    "one_at_a_time": {
        "both at once": MADE + ["+5 batch_started 1/1", "unit_restarting a 1/1",
                                "unit_restarting b 1/1"],
        "one that had been restarted after all": USELESS + ["unit_verified a 1/2"],
        "one that serves, after a crash": swap(NEVER_RESTARTED, "+1 replica_promoted"),
    },
    "once": {"again": MADE + FIRST + ["unit_restarting a 1/2"]},
    "proven": {
        "next batch": swap(WHOLE, "+3 unit_verified a", "daemon_stopping"),
        "replaced": MADE + FIRST + REPLACED[:2] + SECOND,
    },
    "soaked": {
        "not at all": MADE + FIRST + SECOND + DONE,
        "not to the end": UNSOAKED,
        "only before a promotion": MADE + FIRST + PROMOTED[:-2] + SECOND[:1],
    },
    "soak_length": {
        "too short": swap(WHOLE, "+10 soak_ended", "+9 soak_ended 1/2"),
        "disturbed": swap(WHOLE, "+10 soak_ended", "+5 soak_restarted 1/2", "+5 soak_ended 1/2"),
        "blind": swap(WHOLE, "+10 soak_ended", "+5 rotation_waiting 1/2",
                      "+1 rotation_continued 1/2", "+4 soak_ended 1/2"),
        "replaced": MADE + FIRST + REPLACED[:-1] + ["+9 soak_ended 1/2"],
    },
    "soak_quiet": {"restarted": MADE + FIRST + SOAK[:1] + ["unit_restarting b 1/2"]},
    "promoted": {"not restarted": MADE + FIRST + [PROMOTED[0], PROMOTED[1], "soak_restarted 1/2",
                                                  "+10 soak_ended 1/2"]},
    "held": {"continues": HELD + AGAIN + REST,
             "lifted and held again": HELD + LIFTED + ["rotation_held a 1/2"] + AGAIN},
    "hold_survives": {"forgotten": HELD + RESUMED + AGAIN + REST},
    "waiting": {
        "it continues silently": MADE + ["rotation_waiting"] + FIRST + REST,
        "it waits twice": MADE + ["rotation_waiting", "rotation_waiting"],
    },
    "lifted": {"nothing was held": MADE + FIRST + LIFTED + REST},
    "continued": {"it did not wait": MADE + ["rotation_continued"] + FIRST + REST},
    "healthy_time": {
        "verified too soon": swap(WHOLE, "+3 unit_verified a", "+1 unit_verified a 1/2"),
        "done too soon": WHOLE[:-1] + ["+1 rotation_done 2/2"],
    },
    "done": {
        "not verified": swap(WHOLE, "+3 unit_verified b", "daemon_stopping"),
        "not mentioned": MADE + FIRST + SOAK + ["batch_started 2/2", "+2 rotation_done 2/2"],
        "held and not verified": HELD + LIFTED + REST,
    },
    "surge": {
        "not stopped": MADE + SURGED + DONE,
        "stopped too early": MADE + SURGED[:-1] + STOPPED + SECOND[2:] + DONE,
        "outside a rotation": WHOLE + ["surge_started s 2/2"],
    },
    "paused": {
        "a restart": MADE + FIRST + SOAK + ["tunnel_paused PHASE=roll", *SECOND, *DONE],
        "a restart, after a restart of keyturnd": PAUSED + RESUMED + ["batch_started 2/2", *SECOND],
        "a surge": MADE + ["tunnel_paused PHASE=commit", *SURGED, *STOPPED, *DONE],
        "a rotation": ["daemon_started", "tunnel_paused", *WHOLE[1:]],
        "the next rotation": MADE + ["tunnel_paused PHASE=commit", "tunnel_unpaused PHASE=commit",
                                     *FIRST, *REST, "tunnel_paused", "+3600 " + NEXT[0]],
    },
    "stands_still": {
        "continues unasked": PAUSED + SECOND[1:] + DONE,
        "no longer paused": PAUSED + RESUMED_LATER[:2] + ["rotation_paused 2/2"],
    },
    "reverts": {
        "twice": HELD + BACK + BACK_AGAIN,
        "somebody else's token": MADE + FIRST + FOREIGN[:2] + BACK_AGAIN,
        "a compromise": LOST[:-1] + [line + " ROTATION_ID=r3" for line in BACK_AGAIN],
        "nothing": WHOLE + BACK,
    },
    "goes_back": {
        "to an older one": WHOLE + ["+3600 " + NEXT[0], *NEXT[1:]] + [
            line.replace("r2", "r3").replace("f2", "f3")
            for line in ["+3600 " + NEXT[0], *NEXT[1:5]]] + [
                "rotation_reverting ROTATION_ID=r3 FINGERPRINT=f1"],
    },
    "hurry": {"in a revert": HELD + BACK + FIRST[1:] + SOAK,
              "after a compromise": LOST[:8] + ["soak_started 1/2 ROTATION_ID=r3 FINGERPRINT=f3"]},
    "fresh": {
        "the one of the rotation before": MADE + FIRST + compromise("r3", "f1"),
        "somebody else's": LOST[:8] + ["foreign_rotation ROTATION_ID=r3 FINGERPRINT=f4"],
    },
    "evicts": {
        "without a compromise": MADE + ["connector_evicted", *FIRST, *REST],
        "before the delivery": LOST[:3] + [LOST[4], LOST[3], *LOST[5:]],
    },
    "locked_out": {
        "before the delivery": ["daemon_started", *LOST[:3], LOST[-2]],
        "before all are verified": LOST[:-3] + LOST[-2:],
        "without a compromise": WHOLE[:-1] + ["locked_out 2/2", *DONE],
        "never": LOST[:-2] + LOST[-1:],
    },
    "ends": {"open": MADE + FIRST, "held": HELD, "waits": MADE + ["rotation_waiting"]},
}
