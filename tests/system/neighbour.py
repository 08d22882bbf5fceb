"""An unprivileged user of a test host, who plays against keyturn with what every user may do."""

import contextlib
import pathlib
import subprocess

from scenario.journal import EVENT_IDS

USER = "nobody"
STORM = pathlib.Path(__file__).with_name("storm.py").read_text(encoding="utf-8")
ATTACKS = ("callers", "signals", "journal", "huge_names")
# Opens as many listening sockets as one process may, and tells how many they are.
LISTEN = """
import resource, socket, sys
first, wanted = int(sys.argv[1]), int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
kept = []
try:
    for number in range(first, first + min(wanted, hard - 20)):
        one = socket.socket()
        kept.append(one)
        one.bind(("127.77.%d.1" % (number // 10000), 30000 + number % 10000))
        one.listen(1)
except OSError as error:
    print(error, file=sys.stderr)
print(len(kept), flush=True)
sys.stdin.read()
"""
PER_PROCESS = 18_000
DEADLINE = 60


class Neighbour:
    """A user without any right on one host. What it has started ends with it."""

    def __init__(self, host):
        self._host = host
        self._running = []

    def start(self, program, *arguments):
        """Run a Python program in the background, and return its process.

        It has to end when its standard input does: a signal would reach the way in only.
        """
        command = [*self._host.command(timeout=0, user=USER), "python3", "-c", program,
                   *map(str, arguments)]
        self._running.append(subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return self._running[-1]

    def listen(self, count):
        """Open so many listening sockets on loopback."""
        processes = [self.start(LISTEN, first, min(PER_PROCESS, count - first))
                     for first in range(0, count, PER_PROCESS)]
        opened = sum(int(process.stdout.readline()) for process in processes)
        assert opened == count, "only %d of %d sockets could be opened" % (opened, count)

    def storm(self, tunnel):
        """Attack keyturnd in every way at once, from now on."""
        process = self.start(STORM, tunnel, EVENT_IDS["rotation_held"])
        begun = [process.stdout.readline().strip() for _ in ATTACKS]
        assert begun == list(ATTACKS), "only these began: %s" % begun

    def goes_on(self):
        """Return whether all that was started still runs."""
        return bool(self._running) and all(process.poll() is None for process in self._running)

    def stop(self):
        """End all of it; the sockets are gone afterwards."""
        for process in self._running:
            process.communicate(timeout=DEADLINE)
        self._running.clear()


@contextlib.contextmanager
def neighbour_on(host):
    """Give a neighbour for as long as a test takes."""
    neighbour = Neighbour(host)
    try:
        yield neighbour
    finally:
        neighbour.stop()
