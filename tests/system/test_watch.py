"""keyturnctl watch: a second keyturnctl shows the rotation that somebody else has started."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

from fault_checks import EXIT_HELD, FIRST, SECOND, UNREACHABLE_EDGE, WINDOW, with_rollout
from scenario import wait_until

ESCAPE = "\x1b"
EXIT_DONE, EXIT_REFUSED, EXIT_INTERRUPTED = 0, 4, 130
EVENT = re.compile(r"\d\d:\d\d:\d\d  \S")


class Watcher:
    """A keyturnctl that runs in the host and writes into a file."""

    def __init__(self, scenario, file, arguments, user=None):
        words = [str(word) for word in scenario.host.command(timeout=0, user=user)]
        self._file = file
        self._process = subprocess.Popen([*words, "keyturnctl", *arguments],
                                         stdin=subprocess.DEVNULL, stdout=file,
                                         stderr=subprocess.STDOUT)

    def text(self):
        """Return what it has written so far."""
        self._file.seek(0)
        return self._file.read()

    def wait_for(self, text):
        """Wait until it has written this."""
        wait_until(lambda: text in self.text(), lambda: "%r in %s" % (text, self.text()), 60.0)

    def wait(self):
        """Return its exit status when it has ended."""
        return self._process.wait(60)

    def interrupt(self):
        """Press Ctrl-C; return its exit status."""
        # The process that we have started only waits for the one in the host.
        entered = self._process.pid
        children = pathlib.Path("/proc/%d/task/%d/children" % (entered, entered)).read_text()
        os.kill(int(children.split()[0]), signal.SIGINT)
        return self.wait()

    def kill(self):
        """End it, if it still runs."""
        self._process.kill()
        self._process.wait()


@pytest.fixture(name="watch")
def watchers(scenario, tmp_path):
    with contextlib.ExitStack() as stack:
        def start(*arguments, user=None):
            file = stack.enter_context(open(tmp_path / ("out%d" % start.count), "w+"))
            start.count += 1
            watcher = Watcher(scenario, file, arguments, user)
            stack.callback(watcher.kill)
            return watcher
        start.count = 0
        yield start


def check_lines(text):
    """One line for each event, and nothing that moves a cursor."""
    assert ESCAPE not in text
    assert all(EVENT.match(line) for line in text.splitlines()), text


def test_a_second_keyturnctl_shows_the_rotation_of_somebody_else(scenario, traffic, watch):
    with_rollout(scenario, soak="6s")
    scenario.keyturn.rotate("--reason", "laptop lost")
    scenario.journal.wait_for("soak_started")
    watcher = watch("watch", user="nobody")
    attached = watch("rotate", "web", "--reason", "mine", "--follow")
    watcher.wait_for("soak after batch 1 of 2")
    assert "rotation (laptop lost)" in watcher.text(), "it tells what has happened"
    assert FIRST + ": verified" in watcher.text()
    assert attached.wait() == EXIT_DONE, attached.text()
    assert "a rotation of web is already open" in attached.text()
    assert "web: done in " in attached.text()
    watcher.wait_for("web: done in ")
    assert SECOND + ": verified" in watcher.text()
    assert watcher.interrupt() == EXIT_INTERRUPTED, "it waits for the next rotation"
    check_lines(watcher.text())
    assert len(scenario.journal.events("rotation_started")) == 1
    assert scenario.keyturn.status()["trigger"] == "laptop lost"


def test_watch_waits_for_a_rotation_and_outlives_keyturnd(scenario, watch):
    with_rollout(scenario, soak="6s")
    watcher = watch("status", "web", "--follow")
    watcher.wait_for("web: idle, 2/2 units serve")
    scenario.keyturn.rotate()
    watcher.wait_for("soak after batch 1 of 2")
    scenario.keyturn.restart()
    watcher.wait_for("keyturnd is back")
    watcher.wait_for("web: done in ")
    scenario.keyturn.rotate("--reason", "again")
    watcher.wait_for("rotation (again)")
    assert watcher.interrupt() == EXIT_INTERRUPTED
    assert "The rotation of web continues." in watcher.text()
    scenario.keyturn.wait_done()


def test_ctrl_c_ends_only_the_display(scenario, traffic, watch):
    with_rollout(scenario, soak=WINDOW)
    starter = watch("rotate", "web", "--follow")
    starter.wait_for("soak after batch 1 of 2")
    attached = watch("rotate", "web", "--follow")
    attached.wait_for("soak after batch 1 of 2")
    assert starter.interrupt() == EXIT_INTERRUPTED
    assert attached.interrupt() == EXIT_INTERRUPTED
    scenario.keyturn.wait_done()


def test_a_hold_shows_in_every_display(scenario, watch):
    with_rollout(scenario, healthy_deadline="3s")
    scenario.units.drop_in("broken", UNREACHABLE_EDGE, unit=FIRST)
    watcher = watch("watch")
    watcher.wait_for("web: idle")
    scenario.keyturn.rotate()
    watcher.wait_for("web: held (verification_failed)")
    watcher.wait_for("keyturnctl retry web --follow")
    attached = watch("rotate", "web", "--follow")
    assert attached.wait() == EXIT_HELD, "the open rotation is held"
    assert scenario.keyturn.ctl("rotate", "web").returncode == EXIT_REFUSED
    scenario.units.drop_in("broken", "", unit=FIRST)
    scenario.keyturn.ctl("retry", "web", check=True)
    watcher.wait_for("web: done in ")
    assert watcher.interrupt() == EXIT_INTERRUPTED


def health_of(scenario, name):
    """Return what the status says of a unit; None: it does not know the unit."""
    return {unit["name"]: unit["health"]
            for unit in scenario.keyturn.status().get("units", [])}.get(name)


def test_status_shows_which_token_the_units_run_with(scenario):
    with_rollout(scenario)
    assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == EXIT_DONE
    status = scenario.keyturn.status()
    assert {unit["name"]: (unit["health"], unit["token"], unit["fingerprint"])
            for unit in status["units"]} == {
                unit: ("serving", "current", status["fingerprint"]) for unit in (FIRST, SECOND)}
    assert status["last_check"] and not status["check_fails_since"]
    shown = scenario.keyturn.ctl("status").stdout
    assert shown.count("current token") == 2 and "Cloudflare  token checked " in shown
    scenario.host.run("systemctl", "stop", SECOND)
    # systemd forgets a stopped instance of a template some time later.
    wait_until(lambda: health_of(scenario, SECOND) in ("stopped", None), "keyturnd to notice it")
    scenario.host.run("systemctl", "start", SECOND)
