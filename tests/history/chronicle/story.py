"""What is known so far about one tunnel. The rules only read it, before it takes in an event."""

from chronicle.told import (BEFORE_COMMIT, MOVES, NAMES_IT, NEVER_UNNAMED, NEWS_OF_A_REST,
                            OF_THE_TUNNEL, PAUSES, PROGRESS, SETTLED, TAKEN_UP)
from chronicle.turns import Turns


class Story:
    """The tunnel's current rotation, and what is known of the previous one."""

    def __init__(self):
        self.partial = False  # The record begins in the middle of it, so it cannot be judged.
        self.seen = False
        self.starts = 1  # Starts of keyturnd since its last event about this tunnel.
        self.done_at_wall = None
        self.unreadable = False
        self.before = ""  # The fingerprint from before this rotation, if it was reported.
        self.known = set()  # All fingerprints ever reported.
        self.paused = None  # None means unknown.
        self.open_when_paused = False
        self.turns = Turns()
        self._begin("")

    def _begin(self, rotation):
        self.rotation = rotation
        self.open = bool(rotation)
        self.looking = not rotation  # Only the preflight has reported so far.
        self.fingerprint = ""
        self.fingerprints = set()  # All that were reported.
        self.prepared = self.foreign = False
        self.takes_over = self.moves = False  # Somebody else's token; the token as it is.
        self.held = self.waiting = None
        self.lifted = False  # A hold was lifted, and the rotation has not continued yet.
        self.batch_count = self.batches_kept = 0  # The newest one is not on the disk at once.
        self.may_go_back = False  # Resumed: a failed unit may be in an earlier batch.
        self.resumed = False  # And has reported no delivery since.
        self.again = set()  # Verified units that may be restarted once more.
        self.restarts = 0
        self.left = set()
        self.refused = self.committed = False
        self.settling_token = False  # Resumed, and the API was not yet asked whose token it has.
        self.standing = None  # Paused, and it has reached a point where that stops it.
        self.reverting = self.compromised = self.evicts_all = self.locked_out = False
        self.supersedes = 0  # The line of an event of a compromise that has no id yet.
        self.superseded = None  # What was known before that.
        self.touched = set()  # Units that were restarted, or may have been.
        self.surges = set()
        self._token_changed()

    def _token_changed(self):
        """No unit runs on the current token, and no file contains it."""
        self.delivered_at = self.soak_since = self.verified_at = None
        self.settled = self.soaked = False
        self.batch = 0
        self.promoted = ""
        self.restarting = {}  # Unit to the time of its restart; not verified since.
        self.replaced = set()  # Those of them that somebody else restarted.
        self.doubtful = set()  # Those of them whose restart may not have happened.
        self.overtaken = {}  # Those that another unit's restart overlapped, and which one.
        self.unproven = set()  # All of them, and those whose hold an operator lifted.
        self.verified = set()
        self.surge_up = ""  # The extra connector, if it was verified and not stopped since.
        self.batch_of = {}  # Unit to the batch in which it was restarted.

    @property
    def delivered(self):
        """Whether every token file contains the current token."""
        return self.delivered_at is not None

    @property
    def reborn(self):
        """Whether keyturnd was started and has reported nothing about this tunnel since."""
        return self.starts > 0

    @property
    def soaking(self):
        """Whether a soak is in progress."""
        return self.soak_since is not None

    @property
    def only_the_end_is_missing(self):
        """Whether a keyturnd that dies now may find nothing open at its next start."""
        return self.refused or (self.rolled and not self.unproven and self.held is None)

    @property
    def may_be_over(self):
        """Whether keyturnd died and the next event may be about another rotation, or about none."""
        return self.reborn and self.only_the_end_is_missing

    @property
    def rolled(self):
        """Whether the last batch has begun."""
        if not self.batch_count:
            return self.delivered and self.without_batches
        return self.delivered and self.batch == self.batch_count

    @property
    def without_batches(self):
        """Whether there is no plan, because some rotations begin even if no unit runs."""
        return (self.takes_over or self.compromised or self.moves) and not self.batch_count

    @property
    def in_a_hurry(self):
        """Whether this rotation has no soaks."""
        return self.reverting or self.compromised

    def goes_back_with(self, event):
        """Whether this reports, maybe before it is on the disk, that the old token comes back."""
        told = event.kind == "rotation_reverting" or event.phase == "reverting"
        return told and not self.reverting and event.rotation == self.rotation

    def may_be_a_compromise(self, event):
        """Whether this may come from a compromise that has no id yet."""
        unnamed = not event.rotation and event.kind not in NEVER_UNNAMED
        return unnamed and event.phase in BEFORE_COMMIT

    def gives_way_to(self, event):
        """Whether this can only come from a compromise, which ends the open rotation."""
        if event["RESULT"] == "compromised":
            return not self.compromised
        named = self.open and not self.compromised and (self.prepared or self.committed)
        fresh_start = self.reborn and (event.kind != "rotation_held" or
                                       self.only_the_end_is_missing)
        return named and not fresh_start and self.may_be_a_compromise(event)

    def take(self, event):
        """Take in an event."""
        if event.kind == "daemon_started":
            self._restart()
            return
        if not self.seen:
            began_before = event.kind in ("rotation_resumed", "rotation_held", "hold_lifted")
            self.partial = began_before and bool(event.rotation)
            self.seen = True
        self.turns.take(event)
        if event.kind in PAUSES:
            self.paused = event.kind == "tunnel_paused"
            self.open_when_paused = self.paused and bool(event.phase)
        if event.kind in OF_THE_TUNNEL:
            return
        self._take_up_superseded(event)
        if self.is_of_another(event):
            self._begin_another(event)
        if event.kind in SETTLED:
            self.settling_token = False
        if event["BATCH"] and event.rotation == self.rotation:
            self.batch_count = max(self.batch_count, event.batch[1])
        handler = getattr(self, "_on_" + event.kind, None)
        if handler:
            handler(event)
        if self.soaking and event.kind in NEWS_OF_A_REST:
            self.soak_since = event.at
        if event["FINGERPRINT"] and not self.settling_token and not self.goes_back_with(event):
            self.fingerprint = event["FINGERPRINT"]
            self.fingerprints.add(self.fingerprint)
            self.known.add(self.fingerprint)
        self.starts = 0

    def _begin_another(self, event):
        supersedes = self.gives_way_to(event) and not event.rotation
        before = {**self.__dict__} if supersedes and self.open else None
        left = self.left if self.looking or not self.prepared else set()
        if self.open and self.only_the_end_is_missing and not self.refused:
            self.before = self.fingerprint
        self._begin(event.rotation if event.kind in NAMES_IT else "")
        self.takes_over = event.kind == "foreign_rotation"
        self.left, self.partial = left, False
        self.compromised = supersedes or event["RESULT"] == "compromised"
        self.supersedes, self.superseded = event.number if supersedes else 0, before

    def _take_up_superseded(self, event):
        """If the compromise was not yet on the disk, the previous rotation continues."""
        before = self.superseded
        if not before or not self.reborn or event.kind not in TAKEN_UP or not event.rotation:
            return
        if event.rotation == before["rotation"]:
            now = (self.starts, self.paused, self.open_when_paused)
            self.__dict__.update(before)
            self.starts, self.paused, self.open_when_paused = now
            self._forget_the_moment()

    def is_of_another(self, event):
        """Whether this is the first event of another rotation."""
        if event.kind in OF_THE_TUNNEL:
            return False
        if self.gives_way_to(event):
            return True
        if event.kind == "rotation_started":
            return event.rotation != self.rotation or not self.open
        if event.kind == "foreign_rotation" and not self.open:
            return True
        if self.reborn and event.kind not in TAKEN_UP and (self.open or self.held):
            return True  # The previous one is over, whether that was reported or not.
        if self.open and self.may_be_over and not event.rotation:
            # It belongs to a rotation that has begun since. A rotation with an id in this phase
            # keeps it, or it had reported nothing yet when keyturnd was started again.
            return event.phase == "commit" or event.kind == "rotation_held" or self.starts > 1
        # The preflight has no id yet, but a reported open rotation has one.
        return not event.rotation and not self.looking and not self.open

    def _restart(self):
        self.starts += 1
        self._forget_the_moment()
        self.batch_count = self.batches_kept or self.batch_count
        if self.rolled and not self.unproven:
            self.surge_up = ""  # It may have been stopped without anybody left to report it.

    def _forget_the_moment(self):
        self.waiting = self.standing = None
        self.soak_since = None
        self.promoted = ""
        # What is not on the disk is found out again: they are not the verified processes.
        for unit in self.replaced & set(self.restarting):
            del self.restarting[unit]
            self.unproven.discard(unit)
            self.verified.add(unit)
        self.replaced = set()

    def _on_rotation_started(self, event):
        self.open, self.looking = True, False
        self.rotation = event.rotation
        self.waiting = None
        self.compromised, self.moves = event["RESULT"] == "compromised", event["RESULT"] in MOVES
        self.supersedes, self.superseded = 0, None

    def _on_rotation_refused(self, event):
        self.refused = True
        self.open = self.open_when_paused = False
        self.waiting = self.standing = None

    def _on_rotation_resumed(self, event):
        self.held = None
        self.moves = event["RESULT"] in MOVES
        self.may_go_back = self.resumed = self.settled = True
        self.lifted = False
        if event.phase in ("preflight", "prepare"):
            self.prepared = False
        if event.phase == "reverting":
            self._on_rotation_reverting(event)
        self.settling_token = event.phase == "commit"
        if self.settling_token:
            self._token_changed()
            self.committed = self.foreign  # Somebody else's token is already set.

    def _on_rotation_reverting(self, event):
        self._token_changed()
        self.reverting, self.delivered_at = True, event.at if self.moves else None
        self.committed = self.settling_token = False
        self.held = self.waiting = self.standing = None
        self.unproven = self.touched - self.left
        self.fingerprint = event["FINGERPRINT"]

    def _on_secret_prepared(self, event):
        self.prepared = True

    def _on_secret_committed(self, event):
        # After a compromise it is sent again, and units that were not verified are checked again.
        self.may_go_back = self.may_go_back or self.compromised
        self.committed = True
        if self.compromised and self.resumed:
            # Its record may be an older one, so no restart is in progress any more.
            self.again = set(self.verified)
            self.restarting, self.overtaken, self.surge_up = {}, {}, ""

    def _on_token_delivered(self, event):
        self.settled = self.settled or self.foreign or self.delivered
        self.delivered_at = event.at
        self.resumed = False

    def _on_foreign_rotation(self, event):
        self._token_changed()
        self.reverting = self.moves = False
        self.committed = self.foreign = True

    def _on_token_put_back(self, event):
        self._token_changed()
        self.committed = False

    def _on_batch_started(self, event):
        self.batch, self.batch_count = event.batch
        self.batches_kept = self.batch_count
        self.may_go_back = False
        self.soaked = False

    def _on_unit_restarting(self, event):
        self.again.discard(event.unit)
        self.overtaken.pop(event.unit, None)
        if event.unit != self.promoted:
            others = self.doubtful & set(self.restarting) - {event.unit}
            self.overtaken.update(dict.fromkeys(others, event.unit))
        self.doubtful.discard(event.unit)
        self.restarting[event.unit] = event.at
        self.replaced.discard(event.unit)
        self.unproven.add(event.unit)
        self.verified.discard(event.unit)
        self.left.discard(event.unit)
        self.soak_since, self.soaked = None, False
        self.promoted = "" if event.unit == self.promoted else self.promoted
        self.settled = True
        self.batch_of[event.unit] = event.batch[0]
        if event.unit not in self.surges:
            self.restarts += 1
            self.touched.add(event.unit)

    def _on_surge_started(self, event):
        self.surges.add(event.unit)
        self._on_unit_restarting(event)

    def _on_surge_stopped(self, event):
        self.surge_up = ""
        self.restarting.pop(event.unit, None)
        self.unproven.discard(event.unit)
        self.verified.discard(event.unit)

    def _on_connector_evicted(self, event):
        self.evicts_all = self.evicts_all or event["RESULT"] in ("all", "doubtful")

    def _on_locked_out(self, event):
        self.locked_out = True

    def _on_unit_verified(self, event):
        self.restarting.pop(event.unit, None)
        self.overtaken.pop(event.unit, None)
        self.unproven.discard(event.unit)
        self.verified.add(event.unit)
        self.verified_at = event.at
        if event.unit in self.surges:
            self.surge_up = event.unit
        self.promoted = "" if event.unit == self.promoted else self.promoted

    def _on_unit_spared(self, event):
        self.touched.discard(event.unit)
        self.unproven.discard(event.unit)

    def _on_unit_left_stopped(self, event):
        self.restarting.pop(event.unit, None)
        self.unproven.discard(event.unit)
        self.left.add(event.unit)
        self.promoted = "" if event.unit == self.promoted else self.promoted

    def _on_soak_started(self, event):
        self.batches_kept = self.batch_count
        self.soak_since = event.at
        self.soaked = False

    def _on_soak_restarted(self, event):
        if event.phase == "soak":
            self.soak_since = event.at
        if event.unit:
            self.verified.discard(event.unit)
            self.replaced.add(event.unit)
            self.restarting[event.unit] = event.at
            self.unproven.add(event.unit)

    def _on_soak_ended(self, event):
        self.soak_since = None
        self.soaked = True

    def _on_replica_promoted(self, event):
        self.soak_since = None
        self.promoted = event.unit

    def _on_rotation_waiting(self, event):
        if self.waiting and self.may_be_a_compromise(event):
            self.supersedes = self.supersedes or event.number
        self.waiting = event
        self.doubtful |= set(self.restarting) - self.replaced

    def _on_rotation_continued(self, event):
        self.waiting = self.standing = None

    def _on_rotation_paused(self, event):
        self.standing = event

    def _on_rotation_held(self, event):
        self.held = event
        # A person may stop or start the surge that caused the hold.
        self.surge_up = "" if event.unit == self.surge_up else self.surge_up
        self.waiting = self.standing = None
        self.soak_since = None
        self.promoted = ""

    def _on_hold_lifted(self, event):
        unit = self.held.unit if self.held else ""
        self.held, self.lifted = None, True
        if unit in self.verified:  # It was verified, and is checked again.
            self.verified.discard(unit)
            self.unproven.add(unit)
        # Whether it was restarted at all is not reported. In the end it must be verified.
        self.restarting.pop(unit, None)
        if unit in self.surges or (self.moves and unit not in self.touched):
            self.unproven.discard(unit)

    def _on_rotation_done(self, event):
        self.open = self.open_when_paused = False
        self.before = event["FINGERPRINT"]
        self.done_at_wall = self.done_at_wall if self.moves else event.wall

    def _on_state_unreadable(self, event):
        self.unreadable = True
