"""Rules about what each host of a fleet does, beside what the lead tells."""

from chronicle.rule import rule


@rule("turn", "A host restarts a unit in the rotation that is open, after the lead has reported "
      "it, and once.", "turn_taken")
def turn(story, event, _policy):
    if event.rotation != story.rotation:
        return "its ROTATION_ID is %s, and %s is open" % (event.rotation, story.rotation or "none")
    return None if event.fleet_unit in story.turns.granted else "the lead has not reported it"


@rule("alone", "A host restarts a unit only while every unit that another host or itself has "
      "restarted is verified, except after a compromise.", "turn_taken")
def alone(story, event, _policy):
    others = story.turns.down - {event.fleet_unit}
    if story.compromised or not others:
        return None
    return "%s was not verified yet" % ", ".join(sorted(others))


@rule("received", "A host restarts a unit only with the token that it was last reported to have.",
      "turn_taken")
def received(story, event, _policy):
    token = story.turns.received.get(event.host)
    if token in (None, event["FINGERPRINT"]):
        return None
    return "%s has received %s" % (event.host, token)


RULES = (turn, alone, received)
