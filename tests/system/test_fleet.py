"""Several hosts that serve one tunnel, each with its own keyturnd."""

import pytest

from fleet_rotation import API_PORT, STORE_PORT, begin, rotated
from scenario import wait_until


@pytest.mark.parametrize("host", ["alpha", "gamma"])
def test_rotates_over_all_hosts_without_a_lost_request(fleet, host):
    """Also if the order was typed on a host that cannot lead."""
    invocations = {name: item.units.invocations() for name, item in fleet.hosts.items()}
    before, count = begin(fleet, host)
    assert rotated(fleet, before) == count + 1
    for name, item in fleet.hosts.items():
        now = item.units.invocations()
        assert all(now[unit] != invocations[name][unit] for unit in now), name
    ids = {item.journal_rotation() for item in fleet.hosts.values()} - {""}
    assert len(ids) == 1


def test_a_lead_that_is_killed_while_it_sends_the_secret_sends_no_other(fleet):
    hanging = fleet.cloudflare.fault("hang", method="PATCH")
    before, count = begin(fleet, "alpha")
    fleet.cloudflare.wait_fault(hanging, 60)
    lead = fleet.open_rotation()[0] or "alpha"
    fleet[lead].keyturn.kill()
    fleet.cloudflare.heal()
    assert rotated(fleet, before) == count + 1


@pytest.mark.parametrize("phase", ["prepare", "roll", "soak"])
def test_a_lead_that_is_killed_is_replaced_or_goes_on(fleet, phase):
    before, count = begin(fleet, "alpha")
    lead = fleet.wait_lead(phase)
    fleet[lead].keyturn.kill()
    assert rotated(fleet, before) == count + 1


def test_a_host_that_is_cut_off_from_the_store_is_waited_for(fleet):
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    fleet.cut("gamma", STORE_PORT)
    fleet.outside.run("sleep", "8")
    fleet.mend("gamma")
    assert rotated(fleet, before) == count + 1


def test_a_compromise_is_over_soon_on_all_hosts(fleet):
    """Every host's connector stays connected until its unit restarts with the new token."""
    before = fleet.cloudflare.current()["token"]
    count = len(fleet.cloudflare.secrets())
    fleet.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    fleet["gamma"].keyturn.ctl("rotate", "web", "--compromised", check=True)
    assert rotated(fleet, before) == count + 1


def test_a_host_that_is_gone_is_named_and_decommissioned(fleet):
    """It is gone before its turn; the others go on without it, and it may join again."""
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    fleet["gamma"].keyturn.stop()
    status = fleet["alpha"].keyturn.wait_status(seconds=180, state="held")
    assert status["hold_reason"] == "host_silent", status
    assert "gamma" in status["reason"] and "decommission" in status["reason"]
    fleet["alpha"].keyturn.ctl("fleet", "decommission", "web", "gamma", check=True)
    fleet.wait_idle(120, ("alpha", "beta"))
    summary = fleet.traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    assert len(fleet.cloudflare.secrets()) == count + 1
    assert fleet.cloudflare.current()["token"] != before
    fleet["gamma"].host.run("systemctl", "start", "keyturnd")
    wait_until(lambda: "does not have gamma" in fleet.status("gamma"), "gamma to see that", 60)
    fleet["gamma"].keyturn.ctl("fleet", "join", "web", check=True)
    wait_until(fleet.delivered, "the token on gamma", 60)
    fleet["gamma"].host.run("systemctl", "restart", *fleet["gamma"].units.names)


def test_a_lead_without_cloudflare_lets_another_lead(fleet):
    before, count = begin(fleet, "alpha")
    lead = fleet.wait_lead("roll")
    fleet.cut(lead, API_PORT)
    assert rotated(fleet, before) == count + 1
