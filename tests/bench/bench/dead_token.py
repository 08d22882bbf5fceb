"""How long no token file holds the token that Cloudflare accepts, as a bystander sees it."""

import re
import statistics

from scenario import wait_until

# Writes the time of each rename of the token file, as the kernel tells it to a bystander.
WATCH = """
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(0)
libc.inotify_add_watch(watch, sys.argv[1].encode(), 0x80)  # IN_MOVED_TO
out = open(sys.argv[2], "w", buffering=1)
print("watching", file=out)
while True:
    events = os.read(watch, 65536)
    now = time.time()
    while events:
        size = struct.unpack_from("iIII", events)[3]
        if events[16:16 + size].rstrip(b"\\0") == b"web":
            print("%.6f" % now, file=out)
        events = events[16 + size:]
"""
START_WATCH = ('/usr/bin/python3 -c "$1" /var/lib/keyturn/tokens /run/renames </dev/null '
               '>/dev/null 2>&1 & echo $! >/run/watch.pid')
# After so many rotations, keyturnd would wait: it uses half of the calls that Cloudflare allows. A
# new keyturnd has made none yet.
BUDGET = 30
CALL = re.compile(r"^\d+ +(\w+)\((.*)$")
# A TLS record with data, and the rename of what was staged.
ANSWER = re.compile(r'recvfrom\(\d+, "\\27\\3\\3')
NEW_TOKEN = re.compile(r'"\.web\.keyturn-[0-9a-f]{32}", \d+, "web"')


def start_watch(host):
    """Let a bystander on a host note when the token file is replaced."""
    host.run("sh", "-c", START_WATCH, "watch", WATCH)
    wait_until(lambda: "watching" in host.run("cat", "/run/renames", check=False).stdout,
               "the watch of the token file")


def windows_s(host, cloudflare, before):
    """Return for each PATCH after the call `before` the time from its answer to the new file."""
    renames = [float(line) for line in host.output("cat", "/run/renames").split()[1:]]
    answers = [call["at"] + call["ms"] / 1000 for call in cloudflare.calls()
               if call["method"] == "PATCH" and call["n"] > before]
    assert len(answers) == len(renames), (len(answers), len(renames))
    return [renamed - answered for answered, renamed in zip(answers, renames)]


def windows_ms(host, rotations):
    """Return the windows of so many rotations, sorted."""
    start_watch(host.host)
    before = host.cloudflare.calls()[-1]["n"]
    for number in range(rotations):
        if number % BUDGET == BUDGET - 1:
            host.restart()
        host.rotate()
    host.host.run("sh", "-c", "kill $(cat /run/watch.pid)")
    windows = windows_s(host.host, host.cloudflare, before)
    assert len(windows) == rotations, len(windows)
    return sorted(window * 1000 for window in windows)


def percentiles(windows):
    """Return (median, the value that 99 of 100 are below, largest)."""
    return (statistics.median(windows), windows[max(0, -(-len(windows) * 99 // 100) - 1)],
            windows[-1])


def calls_in_the_window(host):
    """Return the system calls between the answer to the PATCH and the rename of the new token."""
    with host.traced(host.process().pid, "-s 300 -o /run/trace"):
        host.rotate()
    lines = host.host.output("cat", "/run/trace").splitlines()
    calls = [match.groups() for match in map(CALL.match, lines) if match]
    renamed = next(i for i, (name, rest) in enumerate(calls)
                   if name.startswith("rename") and NEW_TOKEN.search(rest))
    answered = max(i for i in range(renamed) if ANSWER.match("%s(%s" % calls[i]))
    return [name for name, _ in calls[answered + 1:renamed]]
