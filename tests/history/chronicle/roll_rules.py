"""Rules about the roll-out: which unit restarts when, what stops it, and how it must end."""

from chronicle.rule import rule
from chronicle.told import OF_THE_TUNNEL, PROGRESS


def _listed(units):
    return ", ".join(sorted(units))


@rule("batch", "BATCH counts up, and goes back only after a restart or a retry. There are at most "
      "as many as in the policy, plus one for units that were started meanwhile.")
def batch(story, event, policy):
    if not event["BATCH"]:
        return None
    number, count = event.batch
    if not 1 <= number <= count:
        return "BATCH is %r" % event["BATCH"]
    if event.rotation != story.rotation or not story.open:
        return None
    replanned = story.evicts_all and story.may_go_back  # The remaining units form one batch.
    if story.batch and count < story.batch_count and not replanned:
        return "there were %d batches" % story.batch_count
    if number < story.batch and event.phase != "commit" and not story.may_go_back:
        return "batch %d has been started" % story.batch
    more = len(story.left) + story.restarts  # Each may have been left stopped and started since.
    if policy.batches is not None and count > policy.batches + policy.canary + more:
        return "the policy has %d batches" % policy.batches
    return None


@rule("one_at_a_time", "A unit restarts only after the previous one is verified.",
      "unit_restarting", "unit_verified", "surge_started")
def one_at_a_time(story, event, _policy):
    if story.evicts_all:
        return None  # An operator asked for this; none of them serves.
    if event.kind == "unit_restarting" and event.unit == story.promoted:
        return None  # It has no connection that a restart could cost.
    if event.kind == "unit_verified":
        other = story.overtaken.get(event.unit)
        return "%s was restarted meanwhile" % other if other else None
    # A restart that did not happen is reported again. If not, that shows when the unit is verified.
    others = set(story.restarting) - story.doubtful - {event.unit}
    return "%s was not verified yet" % _listed(others) if others else None


@rule("once", "A verified unit is not restarted again.", "unit_restarting",
      "surge_started")
def once(story, event, _policy):
    return "it was verified" if event.unit in story.verified - story.again else None


@rule("proven", "A batch or a soak begins only when every earlier unit is verified.",
      "batch_started", "soak_started")
def proven(story, event, _policy):
    goes_on = event.kind == "soak_started" or event.batch[0] > story.batch
    # If a unit's turn comes again, its restart may not have happened.
    done_before = event.batch[0] - (event.kind == "batch_started")
    later = {unit for unit in story.doubtful if story.batch_of.get(unit, 0) > done_before}
    if goes_on and set(story.restarting) - later:
        return "%s was not verified yet" % _listed(set(story.restarting) - later)
    return None


@rule("soaked", "The next batch begins only after a soak of this one, except in a revert and "
      "after a compromise.", "batch_started")
def soaked(story, event, _policy):
    if story.in_a_hurry:
        return None
    if event.batch[0] > story.batch > 0 and not story.soaked:
        return "batch %d was not soaked" % story.batch
    return None


@rule("soak_length", "A soak lasts its whole length, or at least soak_min, without a disturbance "
      "reported inside.", "soak_ended")
def soak_length(story, event, policy):
    if not story.soaking:
        return None
    passed = event.at - story.soak_since
    if policy.too_short(passed, policy.shortest_soak):
        return "only %g s were quiet" % (passed / 1e6)
    return None


@rule("soak_quiet", "In a soak nothing is restarted except a unit that was reported as promoted.",
      "unit_restarting", "surge_started")
def soak_quiet(story, event, _policy):
    if story.soaking and event.unit != story.promoted:
        return "a soak is in progress"
    return None


@rule("promoted", "A unit that is reported as next is restarted next.", "soak_started",
      "soak_ended", "rotation_done")
def promoted(story, _event, _policy):
    return "%s was not restarted" % story.promoted if story.promoted else None


@rule("held", "After a hold nothing continues until it is lifted.", *PROGRESS)
def held(story, _event, _policy):
    if story.held is None or story.reborn:
        return None  # After a start, hold_survives judges this.
    return "it has been held since line %d" % story.held.number


@rule("hold_survives", "After a restart of keyturnd, a hold is reported again before all else.")
def hold_survives(story, event, policy):
    survived = event.kind in ("rotation_held", "rotation_orphaned", "state_unreadable")
    survived = survived or event.kind in OF_THE_TUNNEL or story.gives_way_to(event)
    if story.held is None or not story.reborn or survived or policy.disk_fails:
        return None
    return "it was held in line %d, and no operator has lifted the hold" % story.held.number


@rule("waiting", "A wait is followed by a report that it continues, is held, or is resumed.",
      *PROGRESS, "rotation_started", "rotation_refused", "rotation_waiting", "rotation_paused")
def waiting(story, event, _policy):
    if story.waiting is None or story.goes_back_with(event) or story.gives_way_to(event):
        return None
    if event["RESULT"] == "compromised" and not story.supersedes:
        return None  # The previous rotation waited.
    if event.kind == "rotation_waiting" and story.may_be_a_compromise(event):
        return None  # The next start shows it.
    return "it has been waiting since line %d" % story.waiting.number


@rule("continued", "Only a rotation that waited or was paused continues.", "rotation_continued")
def continued(story, _event, _policy):
    return None if story.waiting or story.standing else "it did not wait"


@rule("lifted", "Only a hold can be lifted.", "hold_lifted")
def lifted(story, _event, _policy):
    return None if story.held else "no hold was reported"


@rule("healthy_time", "A unit is verified only after it was healthy for min_healthy_time.",
      "unit_verified", "rotation_done")
def healthy_time(story, event, policy):
    if event.kind == "unit_verified":
        since, what = story.restarting.get(event.unit), "restarted"
    else:
        since, what = story.verified_at, "verified"
    if since is not None and policy.too_short(event.at - since, policy.min_healthy_time):
        return "it was %s only %g s before" % (what, (event.at - since) / 1e6)
    return None


@rule("done", "A rotation is done only when every unit is verified.", "rotation_done")
def done(story, _event, policy):
    if story.unproven:
        return "%s was not verified" % _listed(story.unproven)
    if story.takes_over and policy.restart == "never":
        return None
    missing = set(policy.units) - story.verified - story.left
    if story.moves:
        missing = set()  # Units that were not moved are not reported.
    if story.reverting:
        missing &= story.touched  # The others never left the old token.
    return "nothing was reported about %s" % _listed(missing) if missing else None


@rule("ends", "At the end of the record no rotation is open, held or waiting.", "end")
def ends(story, _event, policy):
    if not policy.ends or not (story.open or story.held or story.waiting):
        return None
    if story.open and story.reborn and story.only_the_end_is_missing:
        return None  # keyturnd died between its last record and its last event.
    state = "held" if story.held else "waiting" if story.waiting else "open"
    return "%s is %s" % (story.rotation or "a rotation", state)


RULES = (batch, one_at_a_time, once, proven, soaked, soak_length, soak_quiet, promoted, held,
         hold_survives, waiting, continued, lifted, healthy_time, done, ends)
