"""Which system calls keyturn-setup is killed at: those of its life that change anything."""

import collections
import re

from sweep import calls
from sweep.calls import Point

# Sees to which file, and what is asked of keyturnd. The commands that the program starts have logs
# of their own.
TRACE_ALL = "--string-limit=300 -y -ff"
CHANGING = calls.FILE_CALLS | calls.TOLD_CALLS
# A question changes nothing. What keyturnd is asked while its work is shown marks a moment of it.
ASKING = frozenset(("connect", "sendto", "sendmsg", "bind", "shutdown"))
REQUESTS = re.compile(r"\\0(Rotate|Decide|Retry|Revert)\\0")
SOCKET = re.compile(r"\d+<socket:")
PATH = re.compile(r'\d+<(/[^>]*)>|"(/[^"]*)"')
TEMPORARY = re.compile(r"^\.(.*)\.keyturn$")


def step_of(name, rest, spawned):
    """Return what a call is about: the name of a file, which command, what is said."""
    if name in ("clone", "clone3", "vfork", "poll"):
        return "command %d" % spawned
    if name in ASKING:
        return "keyturnd"
    if rest.startswith("1<"):
        return "said"
    found = PATH.search(rest)
    if not found:
        return "command %d" % spawned  # A pipe to it.
    last = (found[1] or found[2]).rpartition("/")[2]
    match = TEMPORARY.match(last)
    return match[1] if match else last


def points_in(story, seen):
    """Return the points of a life, in the order of time."""
    numbers = collections.Counter()
    points = []
    spawned = 0
    asked = waits = False
    for name, rest in seen:
        numbers[name] += 1
        if name == "clone3" and "CLONE_THREAD" in rest:
            raise calls.Unclear("it has threads now, and strace does not follow them")
        spawned += name in ("clone", "clone3", "vfork")
        asked = asked or (name == "sendmsg" and REQUESTS.search(rest) is not None)
        if name in ASKING and not (asked and name == "sendmsg"):
            continue
        if name in calls.OPENING and "O_CREAT" not in rest:
            continue
        if name == "write" and SOCKET.match(rest):
            continue
        if name in CHANGING or (name == "poll" and waits):
            points.append(Point(story, name, numbers[name], step_of(name, rest, spawned)))
        # The first wait after it was started: it runs, or has just ended.
        waits = name in ("clone", "clone3", "vfork") or (waits and name != "poll")
    return points


def kinds(point):
    """Return what a short sample is to have once: every kind of call, and every step."""
    return {("call", point.call), ("step", point.step)}


def kinds_of_command(point):
    """Return the same for each command."""
    command = point.story.split("-")[1]
    return {(command, *kind) for kind in kinds(point)}


def best_of(points, features, missing):
    """Return the point that has most of what is missing."""
    return max(points, key=lambda point: len(features(point) & missing))


def covering(points, day):
    """Return all points so that the first ones have every kind of call and every step."""
    rest = calls.spread(points, day)
    chosen = []
    for features in (kinds, kinds_of_command):
        missing = set().union(*map(features, points)) - set().union(*map(features, chosen), set())
        while missing:
            best = best_of(rest, features, missing)
            chosen.append(best)
            rest.remove(best)
            missing -= features(best)
    return chosen + rest


def least(points):
    """Return how many of the points that `covering` gives have every kind of call and step."""
    missing = set().union(*map(kinds, points))
    for count, point in enumerate(points, 1):
        missing -= kinds(point)
        if not missing:
            return count
    return len(points)
