"""A test host to measure in, and what the kernel counts for a process in it."""

import contextlib
import re

from scenario import Scenario, wait_until
from scenario.keyturn import UNIT

# What a rotation may not wait for is short. cloudflared takes as long as the real one.
ROLLOUT = {"settle": "10ms", "soak": "50ms", "min_healthy_time": "50ms"}
# A bench makes more calls than Cloudflare allows.
KNOBS = {"rate_quota": 10**9}
LOG_DIRECTORY = "keyturn-bench"
LOG = "/var/log/%s/%%s" % LOG_DIRECTORY
# Programs that watch keyturnd from its start. With -DDD strace is beside it, and keyturnd is what
# systemd has started; valgrind becomes it.
STRACE = "/usr/bin/strace -DDD -f %s -o {log} /usr/bin/keyturnd"
CALLGRIND = "/usr/bin/valgrind --tool=callgrind --vgdb=no --callgrind-out-file={log} " \
            "/usr/bin/keyturnd"
WATCHED = """[Service]
ExecStart=
ExecStart=%s
SystemCallFilter=
MemoryDenyWriteExecute=no
MemoryMax=infinity
TimeoutStartSec=300
TimeoutStopSec=300
WatchdogSec=0
LogsDirectory=%s
"""
COUNT_ALLOCATIONS = """[Service]
Environment=LD_PRELOAD=/usr/lib/keyturn-bench/count_allocations.so
Environment=COUNT_ALLOCATIONS={log}
LogsDirectory=%s
""" % LOG_DIRECTORY
ATTACH = ("rm -f /run/calls; strace -f %s -p %d </dev/null >/run/attached 2>&1 & "
          "echo $! >/run/strace.pid")
# Until it is gone: then all is written.
DETACH = 'pid=$(cat /run/strace.pid); kill -INT $pid; while [ -d /proc/$pid ]; do sleep 0.05; done'
# Before it becomes keyturnd, the process belongs to systemd, which makes the sandbox of the unit.
# systemd runs the other line as soon as keyturnd says READY.
TIMED = """[Service]
ExecStart=
ExecStart=/bin/sh -c 'read -r line </proc/$$$$/schedstat; echo $line >{log}; exec /usr/bin/keyturnd'
ExecStartPost=+/bin/sh -c 'cat /proc/$MAINPID/task/*/schedstat >/run/cpu-at-ready'
LogsDirectory=%s
""" % LOG_DIRECTORY
TASK_FILES = 'cat /proc/"$1"/task/*/"$2"'


class BenchHost(Scenario):
    """A scenario without a soak, which trusts the system's certificate authorities."""

    def __init__(self, directory, build, **options):
        super().__init__(directory, build=build, system_ca=True, knobs=KNOBS, **options)
        self.rollout = ROLLOUT

    def __enter__(self):
        super().__enter__()
        self.keyturn.write_policy(rollout=ROLLOUT)
        self.restart()
        return self

    def restart(self):
        """Start keyturnd anew, and wait until it has looked at everything."""
        with self.looks():
            self.keyturn.restart()
        self.keyturn.wait_status(state="idle")

    def process(self):
        """Return keyturnd's process."""
        return Process(self.host, self.keyturn.main_pid())

    @contextlib.contextmanager
    def timing_starts(self):
        """Time each start; gives a function that returns what the last one took on a processor.

        In milliseconds: what systemd took before keyturnd, and what keyturnd took until READY.
        """
        self.units.drop_in("bench", TIMED.format(log=LOG % "cpu-at-exec"), UNIT)

        def last():
            before = cpu_ms(self.log("cpu-at-exec"))
            return before, cpu_ms(self.host.output("cat", "/run/cpu-at-ready")) - before
        yield last
        self.units.drop_in("bench", "", UNIT)

    def rotate(self):
        """Rotate once. Nobody asks keyturnd how far it is, because that costs, too."""
        self.journal.mark()
        self.keyturn.rotate()
        self.journal.wait_for("rotation_done", seconds=120)

    @contextlib.contextmanager
    def watched(self, program, log):
        """Let a program watch keyturnd; it is started anew inside, and afterwards as installed."""
        self.units.drop_in("bench", WATCHED % (program.format(log=LOG % log), LOG_DIRECTORY), UNIT)
        yield
        self.units.drop_in("bench", "", UNIT)

    @contextlib.contextmanager
    def counting_allocations(self, library):
        """Count the allocations of keyturnd, which is started anew; gives a function."""
        self.host.run("mkdir", "-p", "/usr/lib/keyturn-bench")
        target = self.host.directory / "share" / "count_allocations.so"
        target.write_bytes(library.read_bytes())
        self.host.run("install", "-m", "755", "/mnt/share/" + target.name, "/usr/lib/keyturn-bench")
        self.units.drop_in("bench", COUNT_ALLOCATIONS.format(log=LOG % "allocations"), UNIT)
        self.restart()
        yield lambda: int(self.host.output("od", "-An", "-td8", LOG % "allocations"))
        self.units.drop_in("bench", "", UNIT)
        self.restart()

    def log(self, name):
        """Return what a watching program has written."""
        return self.host.output("cat", LOG % name)

    @contextlib.contextmanager
    def traced(self, pid, options):
        """Let strace with these options look at a process that runs."""
        self.host.run("sh", "-c", ATTACH % (options, pid))
        wait_until(lambda: "attached" in self.host.output("cat", "/run/attached"), "strace")
        yield
        self.host.run("sh", "-c", DETACH)

    @contextlib.contextmanager
    def system_calls(self, pid):
        """Count the system calls of a process that runs; gives a dictionary, name to number."""
        calls = {}
        with self.traced(pid, "-c -U calls,name -o /run/calls"):
            yield calls
        calls.update(counted(self.host.output("cat", "/run/calls")))


def counted(table):
    """Return name to number of a table of strace -c -U calls,name, without its total."""
    found = re.findall(r"^ *(\d+) +(\w+)$", table, re.MULTILINE)
    return {name: int(count) for count, name in found if name != "total"}


def cpu_ms(schedstat):
    """Return the time on a processor, in milliseconds, that schedstat has, a line for a thread."""
    return sum(int(line.split()[0]) for line in schedstat.splitlines()) / 1e6


class Process:
    """What the kernel counts for a process."""

    def __init__(self, host, pid):
        assert pid, "the process does not run"
        self._host = host
        self.pid = pid

    def _tasks(self, name):
        return self._host.output("sh", "-c", TASK_FILES, "tasks", str(self.pid), name)

    def cpu_ms(self):
        """Return the time that it has run on a processor, in milliseconds."""
        return cpu_ms(self._tasks("schedstat"))

    def switches(self):
        """Return how often it has stopped running, of itself or not."""
        return sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", self._tasks("status"))))

    def memory_mb(self):
        """Return (Rss, Anonymous) in MB of 10^6 bytes."""
        text = self._host.output("cat", "/proc/%d/smaps_rollup" % self.pid)
        kilobytes = dict(re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE))
        return tuple(int(kilobytes[name]) * 1024 / 1e6 for name in ("Rss", "Anonymous"))

    def size_mb(self):
        """Return the size of the program's file in MB of 10^6 bytes."""
        return int(self._host.output("stat", "-Lc", "%s", "/proc/%d/exe" % self.pid)) / 1e6
