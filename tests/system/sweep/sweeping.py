"""The command line and the course of a sweep, whatever it kills: what the commands share."""

import argparse
import contextlib
import datetime
import os
import pathlib
import queue
import sys
import tempfile
import threading
import time

from scenario.places import built_package
from sweep import calls

TRACE_ALL = "--string-limit=0"
KILL = "--trace=%s --inject=%s:signal=KILL:when=%d"
# A rotation is not the same to the call every time, so its last calls may not come.
MISSED_MAX = 0.1
FAILURES_MAX = 10
JOBS_MAX = 4
EXIT_WRONG, EXIT_USAGE = 1, 2


def new_parser(doc, stories):
    """Return a parser with the options of every sweep."""
    parser = argparse.ArgumentParser(description=doc.partition("\n\n")[0], epilog=(
        "A sample takes other calls every day; --day repeats the one of a day."))
    parser.add_argument("--minutes", type=float, metavar="M",
                        help="take a sample that is spread over all calls, for so long")
    parser.add_argument("--day", type=int, default=datetime.date.today().toordinal(),
                        metavar="N", help="the number that chooses the sample (default: today's)")
    parser.add_argument("--at", action="append", default=[], metavar="[STORY/]CALL:N[,CALL:N]",
                        help="kill only there, and where it recovers; STORY: %s (default), %s" % (
                            stories[0], ", ".join(stories[1:])))
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count(), JOBS_MAX), metavar="N",
                        help="how many test hosts (default: one for each CPU, at most %d)" %
                        JOBS_MAX)
    parser.add_argument("--build", type=pathlib.Path, metavar="PATH",
                        help="what is installed: a build directory or a package (default: the one "
                        "in build/packages)")
    parser.add_argument("--self-test", action="store_true",
                        help="do harm after some kills: each kind has to be reported")
    return parser


def parsed(parser):
    """Return the options, if a sweep can run with them."""
    options = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("it boots hosts in namespaces: run it as root")
    try:
        options.build = options.build or built_package()
    except FileNotFoundError as error:
        parser.error(str(error))
    return options


def killing(point):
    """Return the options of strace that kill there."""
    return KILL % (point.call, point.call, point.number)


@contextlib.contextmanager
def booted(options, new_stage):
    """Give a function that boots one more stage; all of them end with the block."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stages = []

        def boot():
            stages.append(stack.enter_context(
                new_stage(directory / str(len(stages)), options.build)))
            return stages[-1]
        yield boot


def jobs_of(options):
    """Return how many stages are of use."""
    return min(options.jobs, len(options.at) or options.jobs)


class Sweep:
    """Hands the points, each with those that follow it, to the stages; counts what comes of it."""

    def __init__(self, command, minutes, chains):
        self._command = command
        self._minutes = minutes
        self._queue = queue.SimpleQueue()
        for chain in chains:
            self._queue.put(chain)
        self._count = len(chains)
        self._width = max(len(calls.text_of(chain)) for chain in chains) + 1
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.played = self.kills = self.missed = self.wrong = 0
        self.broken = []

    def _next(self):
        """Return the next point, None when it is enough."""
        passed = time.monotonic() - self._began
        over = self._minutes and passed > self._minutes * 60
        if over or self.wrong >= FAILURES_MAX or self.broken:
            return None
        with contextlib.suppress(queue.Empty):
            return self._queue.get_nowait()
        return None

    def run(self, stages):
        """Play everything, with one thread for each stage."""
        threads = [threading.Thread(target=self._work, args=(stage,), daemon=True)
                   for stage in stages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.result()

    def _work(self, stage):
        """Play point after point on this stage."""
        try:
            while chain := self._next():
                if self._play(stage, chain).complaints:
                    stage.repair()
        except Exception as error:  # pylint: disable=broad-except
            self.broken.append(error)

    def _play(self, stage, chain):
        outcome = stage.play(chain[0].story, list(map(killing, chain)))
        with self._lock:
            self.played += 1
            self.kills += outcome.kills
            self.missed += not outcome.kills
            self.wrong += bool(outcome.complaints)
            self._say(stage, calls.text_of(chain), outcome)
        return outcome

    def _say(self, stage, text, outcome):
        what = "killed after %s" % outcome.told if outcome.kills else "the call did not come"
        if outcome.kills > 1:
            what += ", and again"
        print("%4d/%d  %-*s %-*s %.1f s" % (self.played, self._count, self._width, text, 36, what,
                                            outcome.seconds), flush=True)
        for complaint in outcome.complaints:
            print("      WRONG: %s" % complaint)
        if outcome.complaints:
            print("      again: tests/system/%s --at %s" % (self._command, text))
            print("\n".join("        " + line for line in stage.told().splitlines()), flush=True)

    def result(self):
        """Say what it was in one line, and return the exit status."""
        for error in self.broken:
            print("broken off: %s: %s" % (type(error).__name__, error))
        minutes = (time.monotonic() - self._began) / 60
        print("%d of %d points: %d kills, %d points not reached, %d wrong; %.1f min" % (
            self.played, self._count, self.kills, self.missed, self.wrong, minutes))
        missed = self.missed > MISSED_MAX * self.played
        return EXIT_WRONG if self.wrong or self.broken or not self.kills or missed else 0


def ended(command, run, *arguments):
    """Return the exit status of a sweep; a sentence instead of a trace if it cannot count."""
    try:
        return run(*arguments)
    except calls.Unclear as error:
        print("%s: %s" % (command, error), file=sys.stderr)
        return EXIT_USAGE
