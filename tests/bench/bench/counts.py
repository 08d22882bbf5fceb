"""What keyturnd does, in numbers that do not depend on the machine: calls, allocations, and so on.

tests/system/test_costs.py holds these below twice of what they are.
"""

import re
import time

from scenario import wait_until

from bench.machine import STRACE

CALL = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)
PROCESS_CALLS = ("fork", "vfork", "clone", "clone3", "execve")
STATUS = ("/usr/bin/valgrind --tool=callgrind --vgdb=no --callgrind-out-file=/run/status.callgrind "
          "keyturnctl status >/run/status 2>&1; grep -E '^(totals|summary):' /run/status.callgrind")
LOOK_SECONDS = 4


def rotation(host):
    """Return (system calls, processes) of one rotation."""
    with host.system_calls(host.process().pid) as calls:
        host.rotate()
    return sum(calls.values()), sum(calls.get(name, 0) for name in PROCESS_CALLS)


def allocations(host, library):
    """Return how many allocations one rotation takes."""
    with host.counting_allocations(library) as count:
        before = count()
        host.rotate()
        return count() - before


def start(host):
    """Return how many system calls keyturnd makes until it is ready."""
    with host.watched(STRACE % "-s 64", "start"):
        host.restart()
        host.keyturn.stop()
        wait_until(lambda: "exited" in host.log("start"), "the end of strace")
        text = host.log("start")
    host.restart()
    # As another user, strace sees no texts: the first message to systemd is the one that matters.
    return len(CALL.findall(text[:text.index("sendto(")]))


def look(host, looks=3):
    """Return how many system calls one look at Cloudflare and the units takes."""
    host.keyturn.write_policy(rollout=host.rollout, drift={"interval": "%ds" % LOOK_SECONDS})
    host.restart()
    first = _looks(host)
    with host.system_calls(host.process().pid) as calls:
        wait_until(lambda: _looks(host) >= first + looks, "looks for drift", 60)
        time.sleep(LOOK_SECONDS / 2)
    host.keyturn.write_policy(rollout=host.rollout)
    return sum(calls.values()) / (_looks(host) - first)


def _looks(host):
    return sum(call["path"].endswith("/connections") for call in host.cloudflare.calls())


def status_instructions(host):
    """Return how many instructions `keyturnctl status` executes."""
    return int(host.host.output("sh", "-c", STATUS).split()[1])
