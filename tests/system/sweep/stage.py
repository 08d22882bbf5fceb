"""A test host on which one rotation after the other is disturbed and finished."""

import dataclasses
import time

from scenario import Scenario, wait_until
from scenario.journal import event_name
from scenario.keyturn import UNIT

from sweep import checks
from sweep.checks import Complaint

# Short waits of the stand-in and of its units, and the shortest rotation that has all its steps.
WAITS = {"time_scale": 0.1, "start_timeout": "2", "stop_timeout": "4", "restart_pause": "1"}
ROLLOUT = {"settle": "10ms", "soak": "50ms", "min_healthy_time": "50ms"}
# Hundreds of rotations an hour are more than Cloudflare allows.
KNOBS = {"rate_quota": 10**9}
LOG_DIRECTORY = "keyturn-strace"
LOG = "/var/log/%s/log" % LOG_DIRECTORY
# keyturnd as it is installed, and strace beside it: with -D keyturnd is what systemd has started.
# What the sandbox of the unit forbids and strace needs is allowed: to trace its parent, and to open
# its log as the user it is.
TRACED = """[Service]
ExecStart=
ExecStart=/usr/bin/strace -DDD -f -o %s %%s /usr/bin/keyturnd
SystemCallFilter=@debug setreuid setregid
LogsDirectory=%s
Restart=no
""" % (LOG, LOG_DIRECTORY)
KILLED = {"ExecMainCode": "2", "ExecMainStatus": "9"}
STEP_SECONDS = 0.03
PATIENCE = 40.0


class Wrong(Exception):
    """Something is not as it has to be; carries a Complaint."""

    def __init__(self, check, sentence):
        super().__init__(sentence)
        self.complaint = Complaint(check, sentence)


@dataclasses.dataclass
class Outcome:
    """What has become of one story."""

    kills: int = 0
    told: str = ""      # The last event before the first kill.
    seconds: float = 0.0
    log: str = ""       # Of strace, in the first life.
    complaints: list = dataclasses.field(default_factory=list)


class Stage:
    """One host. `play` is one story: keyturnd lives, is killed, lives again, and has rotated."""

    def __init__(self, directory, build):
        self.scenario = Scenario(directory, build=build, knobs=KNOBS, **WAITS)
        self.patience = PATIENCE
        self._traced = False
        self._accepted = False       # In this life of keyturnd or in one before.
        self._has_to_go_on = False   # In one before.
        self._before = None

    def __enter__(self):
        self.scenario.__enter__()
        try:
            self.repair()
        except BaseException:
            self.scenario.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.scenario.__exit__()

    def repair(self):
        """Make everything as at the start, and rotate once: every story finds a history."""
        self._trace(None)
        self.scenario.reset()
        self.scenario.keyturn.write_policy(rollout=ROLLOUT)
        self.scenario.keyturn.restart()
        self.scenario.keyturn.rotate()
        self.scenario.keyturn.wait_done()
        self.scenario.keyturn.stop()

    def play(self, story, lives, after_kill=None, at_end=None):
        """Play a story. `lives`: options of strace for one traced life after the other.

        `after_kill` and `at_end` do harm to the scenario, to show that the checks see it.
        """
        outcome = Outcome()
        began = time.monotonic()
        try:
            self._begin(story)
            for number, options in enumerate(lives):
                self._trace(options)
                killed = self._live(asks=story == "rotation")
                outcome.kills += killed
                if number == 0:
                    outcome.log = self.scenario.host.output("cat", LOG)
                    outcome.told = (["nothing"] + self.scenario.journal.story())[-1]
                if not killed:
                    break
                if after_kill:
                    after_kill(self.scenario)
                outcome.complaints += checks.after_kill(self.scenario, self._before)
            self._finish(at_end)
            outcome.complaints += checks.at_end(self.scenario, self._before)
        except Wrong as error:
            outcome.complaints.append(error.complaint)
        except AssertionError as error:
            outcome.complaints.append(Complaint("finished", str(error)))
        outcome.seconds = time.monotonic() - began
        return outcome

    def _begin(self, story):
        if story == "first-start":
            self.scenario.keyturn.forget()
        self.scenario.journal.begin_history()
        self.scenario.journal.mark()
        self._before = checks.look(self.scenario)
        self._accepted = False

    def _finish(self, at_end):
        """Start keyturnd as it is installed; now the rotation has to come to its end."""
        self._trace(None)
        if self._live(asks=True):
            raise Wrong("finished", "keyturnd dies when it is started again")
        if at_end:
            at_end(self.scenario)

    def _trace(self, options):
        """Let strace with these options run beside keyturnd from its next start on; None: not."""
        if options is None and not self._traced:
            return
        self._traced = options is not None
        text = TRACED % options if self._traced else ""
        self.scenario.units.drop_in("strace", text, unit=UNIT)

    def _live(self, asks):
        """Start keyturnd, let it do what there is to do, and stop it. Returns whether it died."""
        host = self.scenario.host
        self._has_to_go_on = self._accepted
        host.run("systemctl", "reset-failed", UNIT, check=False)  # Also the limit of its starts.
        if host.run("systemctl", "start", UNIT, check=False).returncode == 0:
            wait_until(lambda: self._over(asks), lambda: "the end; keyturnd says %s" %
                       self.scenario.keyturn.status(), self.patience, STEP_SECONDS)
        host.run("systemctl", "stop", UNIT, check=False)
        end = self.scenario.units.show(UNIT, "ExecMainCode", "ExecMainStatus", "NRestarts")
        if end["ExecMainStatus"] != "0" and {key: end[key] for key in KILLED} != KILLED:
            raise Wrong("finished", "keyturnd has ended by itself: %s" % end)
        if end["NRestarts"] != "0":
            raise Wrong("finished", "systemd has started keyturnd again")
        return end["ExecMainStatus"] != "0"

    def _over(self, asks):
        """Return whether this life of keyturnd is over; ask for the rotation when it is time."""
        status = self.scenario.keyturn.status()
        if not status:
            return self.scenario.keyturn.main_pid() == 0
        if status["state"] == "held":
            raise Wrong("finished", "held: %s" % status["reason"])
        if status["state"] != "idle" or self.scenario.keyturn.token() == "":
            return False
        if set(checks.rotations(self.scenario)) - set(self._before.rotations):
            return True
        if self._has_to_go_on:
            raise Wrong("finished", "the rotation was accepted, and is forgotten")
        if asks and not self._accepted:  # It is idle for a while yet, while it looks for drift.
            self._ask()
        return not asks

    def _ask(self):
        """Ask for the rotation. If it was not taken up before, nothing may have been touched."""
        wrong = checks.untouched(self.scenario, self._before)
        if wrong:
            raise Wrong(wrong[0].check, wrong[0].sentence)
        asked = self.scenario.keyturn.ctl("rotate", "web")
        self._accepted = asked.returncode == 0
        if not self._accepted and self.scenario.keyturn.main_pid() != 0:
            raise Wrong("finished", "keyturnd refuses: " + asked.stderr)

    def told(self):
        """Return what was told in the story that was played last, and the end of strace's log."""
        log = self.scenario.host.run("tail", "-n", "6", LOG, check=False).stdout
        events = ["%.3f %s" % (float(entry["__MONOTONIC_TIMESTAMP"]) / 1e6, event_name(entry))
                  for entry in self.scenario.journal.events()]
        return "\n".join([self.scenario.told(), "-- events", *events, "-- strace", log])
