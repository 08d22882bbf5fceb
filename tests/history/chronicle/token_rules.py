"""Rules about the secret of a rotation (made, sent, delivered) and about rotations as such."""

from chronicle.rule import rule
from chronicle.told import MOVES, OF_THE_TUNNEL, SETTLED

BEFORE_COMMIT = ("preflight", "prepare")


@rule("one_secret", "A rotation has one new fingerprint, unless it takes over somebody else's or "
      "reverts.")
def one_secret(story, event, _policy):
    mine = event.rotation and event.rotation == story.rotation
    if not mine or not event["FINGERPRINT"] or event.kind == "foreign_rotation":
        return None
    if story.goes_back_with(event):
        return None
    resumed_now = event.kind == "rotation_resumed" and event.phase == "commit"
    if resumed_now or (story.settling_token and event.kind not in SETTLED):
        return None  # It reports the state on the disk, which may be older than the last event.
    if story.fingerprint not in ("", event["FINGERPRINT"]):
        return "its FINGERPRINT is %s and was %s" % (event["FINGERPRINT"], story.fingerprint)
    return None


@rule("stranger", "A token that is taken over differs from the rotation's own.", "foreign_rotation")
def stranger(story, event, _policy):
    told_again = story.settling_token or not story.open  # It is reported once more after a crash.
    if event["FINGERPRINT"] == story.fingerprint and not told_again:
        return "it is the one that this rotation made or took over"
    return None


@rule("order", "Started, prepared, committed, delivered, batch 1, restarted, verified, soaked, the "
      "next batch, done.", "secret_prepared", "secret_committed", "token_delivered",
      "batch_started", "unit_restarting", "unit_verified", "soak_started", "soak_ended",
      "rotation_done")
def order(story, event, policy):
    batch = event.batch[0]
    in_a_batch = story.batch > 0 or story.without_batches or story.evicts_all
    only_delivers = story.takes_over and policy.restart == "never"
    before = {
        "secret_prepared": (story.open and not story.committed, "started, and not yet committed"),
        "secret_committed": ((story.prepared or story.reverting) and not story.moves, "prepared"),
        "token_delivered": (story.committed or story.moves, "committed"),
        "batch_started": (story.delivered and (batch in (story.batch or 1, story.batch + 1) or
                                               (story.may_go_back and batch < story.batch)),
                          "delivered, and batch %d was the last" % story.batch),
        "unit_restarting": (in_a_batch, "in a batch"),
        "unit_verified": (in_a_batch, "in a batch"),
        "soak_started": (0 < story.batch < max(story.batch_count, event.batch[1]),
                         "in a batch that is not the last"),
        "soak_ended": (story.soaking, "being soaked"),
        "rotation_done": (story.rolled or (story.delivered and only_delivers),
                          "delivered, and in the last batch"),
    }
    held_true, state = before[event.kind]
    return None if held_true else "it must be %s" % state


@rule("delivered", "No unit is restarted before its file contains the current token.",
      "unit_restarting", "surge_started")
def delivered(story, _event, _policy):
    return None if story.delivered else "this token was not reported as delivered"


@rule("refused", "A refused rotation has changed nothing.", "rotation_refused")
def refused(story, event, _policy):
    if story.is_of_another(event):
        return None
    touched = [what for what, done in (("committed", story.committed),
                                       ("delivered", story.delivered),
                                       ("restarted a unit", story.restarts)) if done]
    return "it has %s" % " and ".join(touched) if touched else None


@rule("one_rotation", "While a rotation of a tunnel is open, no other one is reported. Only a "
      "compromise ends it.")
def one_rotation(story, event, _policy):
    if event.kind in ("rotation_started", "rotation_refused") and story.supersedes:
        if event["RESULT"] != "compromised":
            return "only a compromise could begin in line %d" % story.supersedes
    if not story.open or not event.rotation or event.rotation == story.rotation:
        return None
    if event.kind == "rotation_started" and event["RESULT"] == "compromised":
        return None
    # A rotation that dies before the commit checks again, and may find its secret useless.
    begins_anew = not story.prepared and not story.committed
    if event.kind == "rotation_started" and (begins_anew or story.only_the_end_is_missing):
        return None
    if event.kind == "foreign_rotation" and story.may_be_over:
        return None
    return "%s is open" % story.rotation


@rule("resumed", "An open rotation continues after a restart of keyturnd, from where it was.")
def resumed(story, event, _policy):
    if event.kind == "rotation_resumed":
        if not story.reborn and not story.lifted:
            return "keyturnd was not started, and no hold was lifted"
        if story.gives_way_to(event):
            return None
        if story.is_of_another(event):
            return None
        if story.open and story.committed and event.phase in BEFORE_COMMIT:
            return "it was committed but continues in phase %s" % event.phase
        return None
    taken_up = event.kind in ("rotation_held", "rotation_orphaned", "state_unreadable")
    taken_up = taken_up or event.kind in OF_THE_TUNNEL
    if not story.reborn or not story.open or taken_up or story.unreadable:
        return None
    return None if story.only_the_end_is_missing else "%s is open" % story.rotation


@rule("interval", "Two rotations of a tunnel are at least min_interval apart, except before a "
      "compromise, and where units only move.",
      "rotation_started")
def interval(story, event, policy):
    at_any_time = event["RESULT"] == "compromised" or event["RESULT"] in MOVES
    same = event.rotation == story.rotation or at_any_time
    if story.done_at_wall is None or same:
        return None
    passed = event.wall - story.done_at_wall
    if policy.too_short(passed, policy.min_interval):
        return "the last one was done %g s before" % (passed / 1e6)
    return None


@rule("settle", "The first restart comes at least `settle` after the delivery.",
      "unit_restarting")
def settle(story, event, policy):
    if story.settled or not story.delivered or story.compromised:
        return None
    passed = event.at - story.delivered_at
    if policy.too_short(passed, policy.settle):
        return "it was delivered %g s before" % (passed / 1e6)
    return None


RULES = (one_secret, stranger, order, delivered, refused, one_rotation, resumed, interval, settle)
