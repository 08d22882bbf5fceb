"""What keyturnd does while there is nothing to do, as strace sees it."""

import re
import time

from scenario.waiting import wait_until

INTERVAL = 20
UNITS_INTERVAL = 60
CLOUDFLARE = "htons(8443)"
# Of strace -f -ttt: thread, time, call and the rest. A wait that sleeps is told when it ends.
LINE = re.compile(r"^(?:\d+ +)?(\d+\.\d+) +(.*)$")
WAIT = re.compile(r"^epoll_p?wait\(.*= (-?\d+)")
# A look at Cloudflare is several answers that are waited for, all within this.
LOOK_TAKES = 5.0
AT_ONCE = 0.2
CLOCK_WAS_SET = "ECANCELED"
# Asio does not disarm its timer when a deadline is cancelled: it wakes once more, arms the timer
# for its longest wait (300 s) and sleeps again. A look has two kinds of deadline.
DEADLINE_IS_OVER = re.compile(r"^timerfd_settime\(\d+, 0, .*it_value=\{tv_sec=300, .*\) = 0$")
DEADLINES_OF_A_LOOK = 2
TRACE = ["strace", "-f", "-ttt", "-s", "200", "-p"]


def trace(scenario, seconds):
    """Return [(time, call)] of what keyturnd does in so many seconds."""
    # In the background: no single command in a test host may take a minute.
    command = "timeout -s INT %d %s %d >/tmp/idle.trace 2>&1; : >/tmp/idle.end" % (
        seconds, " ".join(TRACE), scenario.keyturn.main_pid())
    scenario.host.run("sh", "-c", "rm -f /tmp/idle.end; (%s) >/dev/null 2>&1 &" % command)
    ended = ("test", "-e", "/tmp/idle.end")
    wait_until(lambda: scenario.host.run(*ended, check=False).returncode == 0,
               "the end of the trace", seconds + 20.0, 0.5)
    text = scenario.host.run("cat", "/tmp/idle.trace").stdout
    found = [LINE.match(line) for line in text.splitlines()]
    calls = [(float(match[1]), match[2]) for match in found if match]
    assert calls, text
    return calls


def wakes(calls):
    """Return [(time, [call])]: what is done at once each time it wakes up."""
    result = []
    for when, call in calls:
        if not result or when - result[-1][0] > AT_ONCE:
            result.append((when, []))
        if not WAIT.match(call):
            result[-1][1].append(call)
    return result


def test_nothing_but_the_watchdog_and_the_look_for_drift(scenario):
    scenario.keyturn.write_policy(drift={"interval": "%ds" % INTERVAL})
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.keyturn.wait_status(state="idle")
    time.sleep(4)  # The connection of the first look is given up.
    calls = trace(scenario, INTERVAL + 8)
    looks = [when for when, call in calls if call.startswith("connect(")]
    assert looks, "no look for drift in a whole interval"
    assert max(looks) - min(looks) < LOOK_TAKES, "one look in one interval"
    watchdogs, deadlines, others = [], [], []
    for when, done in wakes(calls)[1:]:
        text = "\n".join(done)
        if "WATCHDOG=1" in text:
            watchdogs.append(when)
        elif CLOCK_WAS_SET in text:
            continue  # By this machine's own clock keeping, or the other test here.
        elif DEADLINE_IS_OVER.match(text):
            deadlines.append(when)
        elif not min(looks) - 1 < when < min(looks) + LOOK_TAKES:
            others.append("%f %s" % (when, text))
    assert not others, "\n".join(others)
    assert len(deadlines) <= 2 * DEADLINES_OF_A_LOOK, deadlines
    assert watchdogs, "no sign of life for systemd"


def test_a_look_at_the_units_asks_nobody_outside_of_this_host(scenario):
    """Once a minute, and nothing but the watchdog besides."""
    scenario.keyturn.write_policy(drift={"interval": "1h"})
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.keyturn.wait_status(state="idle")
    time.sleep(4)  # The connection of the first look is given up.
    calls = trace(scenario, UNITS_INTERVAL + 5)
    asked = [(when, call) for when, call in calls if call.startswith("connect(")]
    assert asked, "no look at the units in a whole interval"
    assert not [call for _, call in asked if CLOUDFLARE in call], asked
    begin = asked[0][0] - 1
    deadlines, others = [], []
    for when, done in wakes(calls)[1:]:
        text = "\n".join(done)
        expected = "WATCHDOG=1" in text or CLOCK_WAS_SET in text
        if DEADLINE_IS_OVER.match(text):
            deadlines.append(when)
        elif not expected and not begin < when < begin + 1 + LOOK_TAKES:
            others.append("%f %s" % (when, text))
    assert not others, "\n".join(others)
    assert len(deadlines) <= 2 * DEADLINES_OF_A_LOOK, deadlines


def test_a_clock_that_is_set_wakes_it(scenario):
    """To the time that it shows anyway: nothing else on this machine notices."""
    scenario.keyturn.wait_status(state="idle")
    time.sleep(4)
    begin = "timeout -s INT 6 %s %d >/tmp/idle.trace 2>&1 & sleep 2"
    scenario.host.run("sh", "-c", begin % (" ".join(TRACE), scenario.keyturn.main_pid()))
    time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns())
    time.sleep(5)
    text = scenario.host.run("cat", "/tmp/idle.trace").stdout
    assert CLOCK_WAS_SET in text, text
    assert scenario.keyturn.status()["state"] == "idle"
