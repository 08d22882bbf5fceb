"""Faults in the middle of a rotation: what passes by itself is waited for, what does not is held,
and whatever happens the other replica goes on serving.
"""

import time

import pytest

from fault_checks import (BUS, EXIT_HELD, FIRST, SECOND, UNREACHABLE_EDGE, WINDOW, check_done,
                          check_held, rotate_into_the_soak, with_rollout)
from scenario import wait_until
from scenario.keyturn import UNIT

FAILS_TWICE = """[Service]
ExecStartPre=+/bin/sh -c 'echo >>/run/starts; [ $$(wc -l </run/starts) -ge 3 ]'
"""
FILL = """
while :; do
    cat /dev/zero >>/var/lib/keyturn/filler
    sleep 0.02
done
"""


def test_keyturnctl_reaches_a_daemon_that_has_just_started(scenario):
    for _ in range(5):
        scenario.keyturn.restart()
        # Findings are an answer, too.
        assert scenario.keyturn.ctl("status").returncode in (0, 6)


def fail_after_the_patch(scenario):
    """Let the API fail for everything that is asked after the PATCH."""
    # Before it are the token, the tunnel and its connectors, and the token once more.
    scenario.cloudflare.fault("status", status=503, method="GET", after=4)


def test_api_down_before_the_secret_is_confirmed(scenario, traffic):
    scenario.cloudflare.knobs(patch_returns_token=False)
    fail_after_the_patch(scenario)
    scenario.keyturn.rotate()
    waiting = scenario.journal.wait_for("rotation_waiting")
    assert "Cloudflare" in waiting["MESSAGE"] and "continues automatically" in waiting["MESSAGE"]
    status = scenario.keyturn.wait_status(state="waiting")
    assert status["phase"] == "commit" and status["reason"]
    assert scenario.delivered()
    assert not scenario.journal.events("unit_restarting")
    scenario.cloudflare.heal()
    scenario.journal.wait_for("rotation_continued")
    check_done(scenario)


def test_api_down_after_the_secret_is_confirmed(scenario, traffic):
    """The first half is proven by systemd and /ready alone; the second waits for the API."""
    with_rollout(scenario, healthy_deadline="3s")
    fail_after_the_patch(scenario)
    scenario.keyturn.rotate()
    verified = scenario.journal.wait_for("unit_verified")
    assert verified["TARGET_UNIT"] == FIRST and "by systemd, ready)" in verified["MESSAGE"]
    scenario.journal.wait_for("rotation_waiting")
    assert scenario.keyturn.status()["state"] == "waiting"
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    scenario.cloudflare.heal()
    check_done(scenario)
    verified = scenario.journal.events("unit_verified", target_unit=SECOND)[0]
    assert "by systemd, ready, api)" in verified["MESSAGE"]


def test_api_that_takes_the_secret_and_does_not_answer(scenario, traffic):
    before = len(scenario.cloudflare.tunnel_state()["fingerprints"])
    scenario.cloudflare.fault("apply-close", method="PATCH", times=1)
    scenario.keyturn.rotate()
    check_done(scenario)
    assert len(scenario.cloudflare.tunnel_state()["fingerprints"]) == before + 1


def test_bus_down_after_the_patch(scenario, traffic):
    with_rollout(scenario, settle=WINDOW)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("token_delivered")
    scenario.host.run("systemctl", "stop", *BUS)
    waiting = scenario.journal.wait_for("rotation_waiting")
    assert "systemd" in waiting["MESSAGE"] or "bus" in waiting["MESSAGE"]
    assert not scenario.journal.events("unit_restarting")
    scenario.host.run("systemctl", "start", *BUS)
    scenario.journal.wait_for("rotation_done", 40)
    check_done(scenario)


def test_bus_killed_while_a_unit_restarts(scenario, traffic):
    scenario.cloudflare.knobs(registration_delay_seconds=0.5)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("unit_restarting")
    scenario.host.run("systemctl", "kill", "--signal=KILL", "dbus.service")
    scenario.host.run("systemctl", "start", *BUS)
    scenario.journal.wait_for("rotation_done", 60)
    check_done(scenario)


def test_bus_that_is_slow_while_keyturnd_starts(scenario):
    """Nothing is found wrong because the units were looked at before there was a bus."""
    scenario.keyturn.stop()
    scenario.host.run("systemctl", "kill", "--signal=STOP", "dbus.service")
    with scenario.looks():
        scenario.host.run("systemctl", "start", "--no-block", "keyturnd.service")
        time.sleep(0.7)
        scenario.host.run("systemctl", "kill", "--signal=CONT", "dbus.service")
    assert not scenario.journal.events("drift_unknown")
    assert not scenario.keyturn.status()["findings"]


@pytest.fixture(name="small_disk")
def state_on_a_small_disk(scenario):
    """Put keyturnd's state on a file system of 1 MiB."""
    scenario.keyturn.stop()
    scenario.host.run("sh", "-c", "mount -t tmpfs -o size=1m,mode=700,uid=keyturn,gid=keyturn "
                      "tmpfs /var/lib/keyturn && systemd-tmpfiles --create keyturn.conf")
    scenario.keyturn.start()
    scenario.journal.mark()
    yield scenario
    scenario.host.run("systemctl", "stop", "filler", check=False)
    scenario.keyturn.stop()
    scenario.host.run("umount", "/var/lib/keyturn")


def test_disk_full_after_the_patch(small_disk, traffic):
    scenario = small_disk
    patch = scenario.cloudflare.fault("pass", method="PATCH", delay=2.0, times=1)
    scenario.keyturn.rotate()
    scenario.cloudflare.wait_fault(patch)
    scenario.host.run("systemd-run", "--quiet", "--collect", "--unit=filler", "sh", "-c", FILL)
    waiting = scenario.journal.wait_for("rotation_waiting")
    assert "space" in waiting["MESSAGE"] or "full" in waiting["MESSAGE"], waiting["MESSAGE"]
    assert scenario.delivered(), "not delivered"
    assert not scenario.journal.events("unit_restarting")
    scenario.host.run("sh", "-c", "systemctl stop filler; rm /var/lib/keyturn/filler")
    scenario.journal.wait_for("rotation_continued")
    check_done(scenario)


def test_unit_that_does_not_come_up_holds_the_rotation(scenario, traffic):
    with_rollout(scenario, healthy_deadline="3s")
    scenario.units.drop_in("broken", UNREACHABLE_EDGE, unit=FIRST)
    before = scenario.units.invocations()[SECOND]
    scenario.keyturn.rotate()
    check_held(scenario, "verification_failed", FIRST)
    assert scenario.units.invocations()[SECOND] == before
    scenario.keyturn.restart()
    check_held(scenario, "verification_failed", FIRST)
    assert scenario.journal.story().count("unit_restarting") == 1
    assert scenario.units.invocations()[SECOND] == before
    scenario.units.drop_in("broken", "", unit=FIRST)
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0
    assert "hold_lifted" in scenario.journal.story()
    check_done(scenario)


def test_job_that_is_done_with_a_dead_unit_holds_the_rotation(scenario, traffic):
    scenario.units.drop_in("absent", "[Unit]\nConditionPathExists=/nonexistent\n", unit=FIRST)
    scenario.keyturn.rotate()
    check_held(scenario, "verification_failed", FIRST)
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    scenario.units.drop_in("absent", "", unit=FIRST)
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0
    check_done(scenario)


def test_unit_that_systemd_starts_again_is_waited_for(scenario, traffic):
    scenario.host.run("rm", "-f", "/run/starts")
    scenario.units.drop_in("flaky", FAILS_TWICE, unit=FIRST)
    scenario.keyturn.rotate()
    check_done(scenario)
    assert scenario.host.output("wc", "-l", "/run/starts").split()[0] == "3"
    assert "rotation_held" not in scenario.journal.story()


def test_start_limit_that_is_nearly_used_up(scenario, traffic):
    scenario.units.drop_in("limit", "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=1h\n")
    for unit in (FIRST, SECOND):
        for _ in range(2):
            scenario.host.run("systemctl", "restart", unit)
            scenario.units.wait_ready(unit)
    refused = scenario.host.run("systemctl", "restart", FIRST, check=False)
    assert refused.returncode != 0, "the limit is not reached: nothing would be shown"
    scenario.host.run("systemctl", "reset-failed", FIRST)
    for _ in range(2):
        scenario.host.run("systemctl", "restart", FIRST)
        scenario.units.wait_ready(FIRST)
    scenario.units.wait_full()
    scenario.keyturn.rotate()
    check_done(scenario)
    assert "rotation_held" not in scenario.journal.story()


def test_operator_who_stops_the_next_unit_is_obeyed(scenario, traffic):
    rotate_into_the_soak(scenario)
    scenario.host.run("systemctl", "stop", SECOND)
    check_held(scenario, "operator_took_over", SECOND)
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0
    check_done(scenario)
    assert scenario.units.show(SECOND, "ActiveState")["ActiveState"] == "inactive"
    scenario.host.run("systemctl", "start", SECOND)
    scenario.units.wait_full()
    running = {item["fingerprints"][0] for item in scenario.cloudflare.connectors().values()}
    assert running == {scenario.cloudflare.fingerprint()}


def test_who_may_do_what(scenario):
    with_rollout(scenario, healthy_deadline="3s")
    scenario.units.drop_in("absent", "[Unit]\nConditionPathExists=/nonexistent\n", unit=FIRST)
    refused = scenario.keyturn.ctl("rotate", "web", user="nobody")
    assert refused.returncode == 4 and scenario.keyturn.status()["phase"] is None, refused.stderr
    scenario.keyturn.rotate()
    scenario.keyturn.wait_status(state="held")
    looked = scenario.keyturn.ctl("status", "web", "--json", user="nobody")
    assert looked.returncode == EXIT_HELD and '"state": "held"' in looked.stdout
    refused = scenario.keyturn.ctl("retry", "web", user="nobody")
    assert refused.returncode == 4, refused.stderr
    assert scenario.keyturn.status()["state"] == "held"
    assert "hold_lifted" not in scenario.journal.story()
    scenario.host.run("systemctl", "stop", UNIT)
    wait_until(lambda: scenario.keyturn.ctl("status", user="nobody").returncode == 5,
               "keyturnctl to say that keyturnd does not run", 5)
