"""The rows of the table: what is measured, and what it may be at most."""

import shutil
import statistics
import time

from bench import counts, dead_token, fleet, many, peers
from bench.figures import Figure
from bench.machine import ROLLOUT, BenchHost

ROTATIONS = 5
IDLE_SECONDS = 120
SOAK_SECONDS = 20
LOOKS = 10
LOOK_SECONDS = 4
STATUS_RUNS = 20
TUNNELS = (10, 100, 300, 1000)
# What is proven to be needed; README.md says for what.
RSS_MB = 13.8
CALLS_OF_A_ROTATION = 2_400
ALLOCATIONS_OF_A_ROTATION = 45_000
NODE_EXPORTER = "/usr/bin/prometheus-node-exporter"


def memory(host, floor):
    """Size of the program, and what it holds while it waits."""
    process = host.process()
    yield Figure("installed keyturnd", process.size_mb(), "MB", 2.2)
    time.sleep(5)
    before = process.memory_mb()
    host.rotate()
    time.sleep(5)
    after = process.memory_mb()
    cron, exporter = _daemons(host)
    for index, name, limit in ((0, "RSS", RSS_MB), (1, "anonymous memory", 1.5)):
        beside = {"floor": floor[("rss", "anonymous")[index]], "cron": cron[index],
                  "node_exporter": exporter[index]}
        yield Figure("idle: " + name, before[index], "MB", limit, beside)
        yield Figure("idle: %s after a rotation" % name, after[index], "MB", limit)


def _daemons(host):
    cron = peers.idle_daemon(host, "/usr/sbin/cron", "-f")
    exporter = peers.idle_daemon(host, NODE_EXPORTER) if shutil.which(NODE_EXPORTER) else (0, 0, 0)
    return cron, exporter


def idle(host, _):
    """Two minutes with nothing to do."""
    process = host.process()
    time.sleep(5)
    switches, cpu = process.switches(), process.cpu_ms()
    time.sleep(IDLE_SECONDS)
    # The watchdog every 15 s, and two looks at the units, each of which waits for several answers.
    yield Figure("idle, 120 s: switches", process.switches() - switches, "", 40)
    yield Figure("idle, 120 s", process.cpu_ms() - cpu, "ms", 12)


def start(host, floor):
    """From the start to READY."""
    times = []
    with host.timing_starts() as last:
        for _ in range(ROTATIONS):
            host.keyturn.stop()
            host.host.run("systemctl", "start", "keyturnd.service")
            times.append(last())
            host.keyturn.wait_status(state="idle")
    sandbox, own = map(statistics.median, zip(*times, strict=True))
    yield Figure("start to READY", own, "ms", 45, {"floor": floor["cpu"],
                                                   "before it, systemd's sandbox": sandbox})
    yield Figure("start to READY: system calls", counts.start(host), "", 450,
                 {"floor": floor["calls"]})


def rotation(host, _):
    """One rotation of two units without its soak, beside the script of the documentation."""
    process = host.process()
    times = []
    for _ in range(ROTATIONS):
        before = process.cpu_ms()
        host.rotate()
        times.append(process.cpu_ms() - before)
    calls, processes = counts.rotation(host)
    script = peers.install_script(host)
    host.keyturn.stop()
    script_cpu = peers.cpu_of_command(host, script, times=1)
    script_calls = peers.calls_of_command(host, script)
    host.restart()
    forks = sum(script_calls.get(name, 0) for name in ("fork", "vfork", "clone", "clone3"))
    yield Figure("a rotation", statistics.median(times), "ms", 80, {"bash+curl+jq": script_cpu})
    yield Figure("a rotation: system calls", calls, "", CALLS_OF_A_ROTATION,
                 {"bash+curl+jq": sum(script_calls.values())})
    yield Figure("a rotation: processes", processes, "", 0, {"bash+curl+jq": forks})


def look(host, _):
    """One look at Cloudflare and the units."""
    host.keyturn.write_policy(rollout=ROLLOUT, drift={"interval": "%ds" % LOOK_SECONDS})
    host.restart()
    process = host.process()
    time.sleep(LOOK_SECONDS)
    before = process.cpu_ms()
    time.sleep(LOOKS * LOOK_SECONDS)
    yield Figure("a look at Cloudflare", (process.cpu_ms() - before) / LOOKS, "ms", 10)
    yield Figure("a look at Cloudflare: system calls", counts.look(host), "")
    host.restart()


def soak(host, _):
    """A soak, in which both units are watched."""
    host.keyturn.write_policy(rollout={**ROLLOUT, "soak": "%ds" % (SOAK_SECONDS + 10)})
    host.restart()
    process = host.process()
    host.journal.mark()
    host.keyturn.rotate()
    host.journal.wait_for("soak_started", seconds=60)
    time.sleep(2)
    before, began = process.cpu_ms(), time.monotonic()
    time.sleep(SOAK_SECONDS)
    used = (process.cpu_ms() - before) / (time.monotonic() - began)
    host.journal.wait_for("rotation_done", seconds=120)
    host.keyturn.write_policy(rollout=ROLLOUT)
    host.restart()
    yield Figure("a soak, each second", used, "ms", 0.8)


def status(host, _):
    """What somebody costs who asks."""
    def cpu(*command):
        return peers.cpu_of_command(host, *command, times=STATUS_RUNS)
    beside = {"keyturnctl --version": cpu("keyturnctl", "--version"),
              "systemctl is-active": cpu("systemctl", "is-active", "keyturnd")}
    if shutil.which("certbot"):
        beside["certbot certificates"] = peers.cpu_of_command(host, "certbot", "certificates",
                                                              times=1)
    yield Figure("keyturnctl status", cpu("keyturnctl", "status"), "ms", 15, beside)


def window(host, _, rotations=100):
    """How long no token file holds the token that Cloudflare accepts."""
    median, most, longest = dead_token.percentiles(dead_token.windows_ms(host, rotations))
    yield Figure("dead-token window: median", median, "ms")
    yield Figure("dead-token window: 99 of 100", most, "ms", 2)
    yield Figure("dead-token window: longest", longest, "ms")
    calls = dead_token.calls_in_the_window(host)
    yield Figure("dead-token window: system calls before the rename", len(calls), "")


def tunnels(host, _, plot):
    """Many tunnels with four units each. Calls `plot` with (tunnels, ms to READY)."""
    points = []
    with host.timing_starts() as last:
        for count in TUNNELS:
            many.install(host, count)
            many.start(host)
            points.append((count, last()[1]))
            time.sleep(3)
            anonymous = host.process().memory_mb()[1]
    yield Figure("1,000 tunnels x 4 units: READY", points[-1][1], "ms", 450)
    yield Figure("1,000 tunnels x 4 units: anonymous memory", anonymous, "MB", 13)
    few, lots = (many.instructions_of_start(host, count) for count in (100, 1000))
    yield Figure("instructions of a start, 1,000 by 100 tunnels", lots / few, "", 11)
    plot(points)


def measured(directory, build, library, floor_program, plot):
    """Give one figure after the other."""
    with BenchHost(directory / "host", build) as host:
        floor = peers.floor(host, floor_program)
        for row in (memory, start, rotation, look, soak, status, idle):
            yield from row(host, floor)
        yield Figure("a rotation: allocations", counts.allocations(host, library), "",
                     ALLOCATIONS_OF_A_ROTATION)
    with BenchHost(directory / "quick", build, time_scale=0.1) as host:
        yield from window(host, None)
        yield from tunnels(host, None, plot)
    yield from fleet.measured(directory / "fleet", build)
    yield from fleet.without_store(directory / "waves", build)
