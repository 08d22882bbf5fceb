"""Rules about special cases: a surge, a pause, a revert, a compromise."""

from chronicle.rule import rule
from chronicle.told import PROGRESS


@rule("surge", "A surge starts only if the policy allows it, stops when every unit is verified, "
      "and is not left running at the end.", "surge_started", "surge_stopped", "rotation_done")
def surge(story, event, policy):
    if event.kind == "surge_started":
        if policy.surge and policy.surge != "auto":
            return "the policy says surge: %s" % policy.surge
        return None if story.open else "no rotation is open"
    if event.kind == "rotation_done":
        return "%s was not stopped" % story.surge_up if story.surge_up else None
    others = story.unproven - story.surges
    if others or not story.rolled:
        return "%s was not verified yet" % (", ".join(sorted(others)) or "the last batch")
    return None


@rule("paused", "A paused tunnel begins no rotation and restarts nothing, except after a "
      "compromise.", "rotation_started", "unit_restarting", "surge_started")
def paused(story, event, _policy):
    if not story.paused or story.compromised or event["RESULT"] == "compromised":
        return None
    if event.kind == "rotation_started" and story.open_when_paused:
        return None  # It began earlier and is stopped before the commit.
    return "an operator has paused it"


@rule("stands_still", "Only a rotation of a paused tunnel stops, until it reports that it "
      "continues or reverts.", "rotation_paused", *PROGRESS)
def stands_still(story, event, _policy):
    if event.kind == "rotation_paused":
        return "it is not paused" if story.paused is False else None
    return "it has been paused since line %d" % story.standing.number if story.standing else None


@rule("reverts", "A rotation reverts only once, only from its own token, and not in a compromise.",
      "rotation_reverting")
def reverts(story, event, _policy):
    if not story.open or event.rotation != story.rotation:
        return "no such rotation is open"
    for state, what in ((story.reverting, "it is already reverting"),
                        (story.compromised, "the old token is compromised"),
                        (story.foreign or story.takes_over, "the token is somebody else's")):
        if state:
            return what
    return None


@rule("goes_back", "A rotation reverts to the token from before it, never to one that was "
      "rotated away.", "rotation_reverting")
def goes_back(story, event, _policy):
    fingerprint = event["FINGERPRINT"]
    if story.moves:
        return None
    # Somebody else may have set another one right before, which was never reported.
    if not story.before or fingerprint == story.before or fingerprint not in story.known:
        return None
    return "its FINGERPRINT is %s, and was %s before" % (fingerprint, story.before)


@rule("hurry", "There is no soak in a revert or after a compromise.", "soak_started")
def hurry(story, _event, _policy):
    return "it has no time" if story.in_a_hurry else None


@rule("fresh", "After a compromise the token is a new one, and stays.",
      "rotation_started", "foreign_rotation")
def fresh(story, event, _policy):
    if event.kind == "foreign_rotation":
        another = story.may_be_over and event.rotation != story.rotation
        stays = story.open and story.compromised and not another
        return "it is somebody else's" if stays else None
    told_again = story.open and event.rotation == story.rotation
    if event["RESULT"] != "compromised" or told_again:
        return None
    if event["FINGERPRINT"] in story.known:
        return "%s is an old one" % event["FINGERPRINT"]
    return None


@rule("evicts", "Only a compromise evicts a connector, and only after its new token is "
      "delivered.", "connector_evicted")
def evicts(story, _event, _policy):
    if not story.open or not story.compromised:
        return "nothing is compromised"
    return None if story.delivered else "the new token was not reported as delivered"


@rule("locked_out", "It is reported after a compromise, when everything is delivered and verified, "
      "and before the rotation is done.", "locked_out", "rotation_done")
def locked_out(story, event, _policy):
    if event.kind == "rotation_done":
        silent = story.compromised and not story.locked_out
        return "no lock-out was reported" if silent else None
    if not story.open or not story.compromised:
        return "nothing is compromised"
    if not story.delivered or not story.rolled:
        return "the new token is not delivered everywhere yet"
    rest = ", ".join(sorted(story.unproven))
    return "%s was not verified" % rest if rest else None


RULES = (surge, paused, stands_still, reverts, goes_back, hurry, fresh, evicts, locked_out)
