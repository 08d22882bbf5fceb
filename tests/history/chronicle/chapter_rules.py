"""Rules about what is not the straight way: a surge, a pause, the way back, a compromise."""

from chronicle.rule import rule
from chronicle.told import PROGRESS


@rule("surge", "A surge is started where the policy has one, stopped when every unit is verified, "
      "and not left at the end.", "surge_started", "surge_stopped", "rotation_done")
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


@rule("paused", "A paused tunnel begins no rotation and restarts nothing, but after a compromise.",
      "rotation_started", "unit_restarting", "surge_started")
def paused(story, event, _policy):
    if not story.paused or story.compromised or event["RESULT"] == "compromised":
        return None
    if event.kind == "rotation_started" and story.open_when_paused:
        return None  # It was begun before, and is stopped before the commit.
    return "an operator has paused it"


@rule("stands_still", "Only a paused tunnel stands still, and then until it is told that it goes "
      "on or back.", "rotation_paused", *PROGRESS)
def stands_still(story, event, _policy):
    if event.kind == "rotation_paused":
        return "it is not paused" if story.paused is False else None
    return "it stands still since line %d" % story.standing.number if story.standing else None


@rule("reverts", "A rotation goes back once, from a token of its own, and not in a compromise.",
      "rotation_reverting")
def reverts(story, event, _policy):
    if not story.open or event.rotation != story.rotation:
        return "no such rotation is open"
    for state, what in ((story.reverting, "it goes back already"),
                        (story.compromised, "the old token is in wrong hands"),
                        (story.foreign or story.takes_over, "the token is a stranger's")):
        if state:
            return what
    return None


@rule("goes_back", "The token that a rotation goes back to is the one from before it, never one "
      "that was rotated away.", "rotation_reverting")
def goes_back(story, event, _policy):
    fingerprint = event["FINGERPRINT"]
    # A stranger may have set another one right before: that was never told.
    if not story.before or fingerprint == story.before or fingerprint not in story.known:
        return None
    return "its FINGERPRINT is %s, and was %s before" % (fingerprint, story.before)


@rule("hurry", "On the way back and after a compromise nothing is soaked.", "soak_started")
def hurry(story, _event, _policy):
    return "it has no time" if story.in_a_hurry else None


@rule("fresh", "After a compromise the token is one that was never told before, and stays.",
      "rotation_started", "foreign_rotation")
def fresh(story, event, _policy):
    if event.kind == "foreign_rotation":
        another = story.may_be_over and event.rotation != story.rotation
        stays = story.open and story.compromised and not another
        return "it is a stranger's" if stays else None
    told_again = story.open and event.rotation == story.rotation
    if event["RESULT"] != "compromised" or told_again:
        return None
    if event["FINGERPRINT"] in story.known:
        return "%s is an old one" % event["FINGERPRINT"]
    return None


@rule("evicts", "Nothing but a compromise evicts a connector, and only once its new token is "
      "delivered.", "connector_evicted")
def evicts(story, _event, _policy):
    if not story.open or not story.compromised:
        return "nothing is compromised"
    return None if story.delivered else "no delivery of the new token was told"


@rule("locked_out", "It is told after a compromise, when all is delivered and verified, and before "
      "that is done.", "locked_out", "rotation_done")
def locked_out(story, event, _policy):
    if event.kind == "rotation_done":
        silent = story.compromised and not story.locked_out
        return "nobody was told to be locked out" if silent else None
    if not story.open or not story.compromised:
        return "nothing is compromised"
    if not story.delivered or not story.rolled:
        return "the new token is not everywhere yet"
    rest = ", ".join(sorted(story.unproven))
    return "%s was not verified" % rest if rest else None


RULES = (surge, paused, stands_still, reverts, goes_back, hurry, fresh, evicts, locked_out)
