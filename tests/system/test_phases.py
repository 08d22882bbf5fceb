"""What is done to systemd and to keyturnd itself in each phase of one rotation."""

import time

import pytest

from fault_checks import (FIRST, SECOND, check_done, hang_in_the_patch, rotate_into_the_soak,
                          with_rollout)
from scenario import wait_until
from scenario.keyturn import UNIT

STOPS_WITHIN = 10.0
LONG = {"settle": "1500ms", "soak": "1500ms", "min_healthy_time": "1s"}
# What has to be reached, one after the other: a phase, or an event for what is over quickly.
PHASES = ("preflight", "prepare", "commit", "token_delivered", "roll", "unit_restarting", "soak",
          "finish")


def rotate_through_the_phases(scenario, disturb):
    """Rotate so slowly that each phase can be disturbed once, by `disturb()`."""
    with_rollout(scenario, **LONG)
    # Preflight, prepare and commit read the token once each.
    scenario.cloudflare.fault("pass", method="GET", path="*/token", times=3, delay=1.5)
    scenario.cloudflare.fault("pass", method="PATCH", times=1, delay=1.5)
    scenario.cloudflare.knobs(registration_delay_seconds=0.3)
    scenario.keyturn.rotate()
    for phase in PHASES:
        if "_" in phase:
            scenario.journal.wait_for(phase)
        else:
            scenario.keyturn.wait_status(phase=phase)
        disturb()
    check_done(scenario)
    assert "rotation_held" not in scenario.journal.story()
    restarted = [event["TARGET_UNIT"] for event in scenario.journal.events("unit_restarting")]
    assert restarted == [FIRST, SECOND]


def test_reload_reexec_and_hangup_change_nothing(scenario, traffic):
    """systemd is reloaded and executed anew; keyturnd gets a hang-up and finds another policy."""
    commands = ["daemon-reload", "daemon-reexec"]

    def disturb():
        scenario.keyturn.write_policy(rollout={"soak": "5m", "batches": 1}, units=[SECOND])
        scenario.host.run("systemctl", "kill", "--signal=HUP", UNIT)
        scenario.host.run("systemctl", commands[0])
        commands.reverse()

    rotate_through_the_phases(scenario, disturb)
    scenario.keyturn.rollout.update({"batches": 2, **LONG})  # What it was rotated by.
    assert not scenario.journal.events("daemon_started"), "it is the same process all along"


@pytest.mark.parametrize("reach", [hang_in_the_patch, rotate_into_the_soak])
def test_stopped_and_finished(scenario, traffic, reach):
    reach(scenario)
    begun = time.monotonic()
    scenario.keyturn.stop()
    assert time.monotonic() - begun < STOPS_WITHIN
    assert scenario.units.show(UNIT, "Result")["Result"] == "success"
    scenario.keyturn.start()
    check_done(scenario)
    restarted = [event["TARGET_UNIT"] for event in scenario.journal.events("unit_restarting")]
    assert sorted(set(restarted)) == [FIRST, SECOND]


def test_second_sigterm_ends_at_once(scenario, traffic):
    hang_in_the_patch(scenario)
    scenario.host.run("sh", "-c", "systemctl kill --signal=TERM {0}; systemctl kill --signal=TERM "
                      "{0}; :".format(UNIT))
    wait_until(lambda: scenario.keyturn.main_pid() == 0, "the end of keyturnd", STOPS_WITHIN)
    assert scenario.units.show(UNIT, "Result")["Result"] == "success"


def test_signal_without_a_meaning_is_a_crash(scenario, traffic):
    scenario.units.drop_in("soon", "[Service]\nRestartSec=200ms\n", unit=UNIT)
    rotate_into_the_soak(scenario)
    scenario.host.run("systemctl", "kill", "--signal=USR1", "--kill-who=main", UNIT)
    assert scenario.journal.wait_for("rotation_resumed")["PHASE"] == "soak"
    check_done(scenario)


def test_keyturnd_that_stands_still_is_ended_by_the_watchdog(scenario, traffic):
    """SIGSTOP in the middle of a restart; what is left of it is never carried out later."""
    scenario.units.drop_in("watchdog", "[Service]\nWatchdogSec=1\nTimeoutStopSec=1\n"
                           "TimeoutAbortSec=1\nRestartSec=200ms\n", unit=UNIT)
    scenario.keyturn.restart()
    scenario.cloudflare.knobs(registration_delay_seconds=0.7)
    scenario.journal.mark()
    scenario.keyturn.rotate()
    scenario.journal.wait_for("unit_restarting")
    stopped = scenario.keyturn.main_pid()
    scenario.host.run("kill", "-STOP", str(stopped))
    resumed = scenario.journal.wait_for("rotation_resumed", 30)
    assert resumed["PHASE"] == "roll"
    assert scenario.keyturn.main_pid() not in (0, stopped)
    told = scenario.journal.read("_PID=1", "UNIT=" + UNIT)
    assert any("Watchdog timeout" in entry["MESSAGE"] for entry in told)
    check_done(scenario)
    restarted = [event["TARGET_UNIT"] for event in scenario.journal.events("unit_restarting")]
    assert restarted == [FIRST, SECOND]
