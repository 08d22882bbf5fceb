"""What an operator decides in the middle of a rotation: pause, resume, revert."""

import pytest

from fault_checks import FIRST, SECOND, UNREACHABLE_EDGE, rotate_into_the_soak, with_rollout
from scenario import wait_until


@pytest.fixture(autouse=True)
def not_paused_in_the_end(scenario):
    yield
    scenario.keyturn.ctl("resume", "web")


def running_with(scenario):
    """Return the fingerprint that each unit runs with."""
    connectors = scenario.cloudflare.connectors()
    return {unit: connectors[scenario.units.connector(unit)]["fingerprints"]
            for unit in scenario.units.names}


def check_went_back(scenario, old):
    """Cloudflare, the file and every unit have the token from before."""
    assert scenario.cloudflare.fingerprint() == old
    assert scenario.delivered()
    assert set(map(tuple, running_with(scenario).values())) == {(old,)}
    assert not scenario.keyturn.kept_secrets()


def test_a_paused_tunnel_is_not_rotated(scenario):
    scenario.keyturn.ctl("pause", "web", check=True)
    assert scenario.keyturn.status()["state"] == "paused"
    scenario.keyturn.restart()
    assert scenario.keyturn.status()["state"] == "paused", "a pause outlives a restart"
    refused = scenario.keyturn.ctl("rotate", "web")
    assert refused.returncode == 4 and "keyturnctl resume web" in refused.stderr
    assert scenario.keyturn.ctl("pause", "web").returncode == 4, "it is paused already"
    scenario.keyturn.ctl("resume", "web", check=True)
    assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == 0


def test_a_pause_stops_before_the_next_restart(scenario, traffic):
    rotate_into_the_soak(scenario)
    scenario.keyturn.ctl("pause", "web", check=True)
    scenario.journal.wait_for("rotation_paused")
    assert scenario.keyturn.status()["state"] == "paused"
    scenario.keyturn.restart()
    scenario.journal.wait_for("rotation_paused", count=2)
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    scenario.keyturn.ctl("resume", "web", check=True)
    scenario.keyturn.wait_done()


def test_a_pause_stops_before_the_change_at_cloudflare(scenario, traffic):
    scenario.cloudflare.fault("pass", delay=2.0, times=1, method="GET", path="*/token")
    old = scenario.cloudflare.fingerprint()
    scenario.keyturn.rotate()
    scenario.keyturn.wait_status(phase="preflight")
    scenario.keyturn.ctl("pause", "web", check=True)
    scenario.journal.wait_for("rotation_paused")
    assert scenario.cloudflare.fingerprint() == old
    assert scenario.keyturn.ctl("revert", "web", "--follow").returncode == 4, "it is called off"
    assert not scenario.journal.events("secret_committed")
    assert scenario.keyturn.wait_status(state="paused", phase=None)["last_outcome"] == "refused"


@pytest.mark.parametrize("reach", ["unit_restarting", "unit_verified", "soak_started"])
def test_a_rotation_is_called_off(scenario, traffic, reach):
    with_rollout(scenario, soak="20s")
    old = scenario.cloudflare.fingerprint()
    second = scenario.units.invocations()[SECOND]
    scenario.keyturn.rotate()
    scenario.journal.wait_for(reach)
    done = scenario.keyturn.ctl("revert", "web", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    check_went_back(scenario, old)
    assert scenario.units.invocations()[SECOND] == second, "it was never restarted"
    assert scenario.keyturn.status()["last_outcome"] == "reverted"


def test_a_hold_is_called_off(scenario, traffic):
    with_rollout(scenario, healthy_deadline="3s")
    old = scenario.cloudflare.fingerprint()
    scenario.units.drop_in("broken", UNREACHABLE_EDGE, unit=FIRST)
    scenario.keyturn.rotate()
    scenario.keyturn.wait_status(state="held")
    scenario.units.drop_in("broken", "", unit=FIRST)
    assert scenario.keyturn.ctl("revert", "web", "--follow").returncode == 0
    check_went_back(scenario, old)


def test_a_failure_leads_back_by_itself_where_the_policy_says_so(scenario, traffic):
    with_rollout(scenario, healthy_deadline="3s", on_failure="revert")
    old = scenario.cloudflare.fingerprint()
    # Only with another token than the old one.
    scenario.units.drop_in("once", "[Service]\nExecCondition=+/bin/sh -c "
                           "'test -e /run/was-here || { touch /run/was-here; exit 1; }'\n",
                           unit=FIRST)
    scenario.keyturn.rotate()
    alarm = scenario.journal.wait_for("rotation_reverting")
    assert alarm["PRIORITY"] == "1" and FIRST in alarm["MESSAGE"]
    scenario.keyturn.wait_done(outcome="reverted")
    check_went_back(scenario, old)
    assert not scenario.journal.events("rotation_held")


def test_nothing_is_called_off_where_nothing_is_open(scenario):
    refused = scenario.keyturn.ctl("revert", "web")
    assert refused.returncode == 4 and "no rotation of web is open" in refused.stderr


def test_killed_on_the_way_back_and_finished(scenario, traffic):
    scenario.units.drop_in("soon", "[Service]\nRestartSec=200ms\n", unit="keyturnd.service")
    with_rollout(scenario, soak="20s")
    old = scenario.cloudflare.fingerprint()
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.cloudflare.fault("pass", delay=2.0, times=1, method="PATCH")
    scenario.keyturn.ctl("revert", "web", check=True)
    scenario.keyturn.wait_status(phase="reverting")
    scenario.keyturn.kill()
    scenario.journal.wait_for("rotation_resumed")
    scenario.keyturn.wait_done(outcome="reverted")
    wait_until(lambda: scenario.units.full(), "all connections")
    check_went_back(scenario, old)
