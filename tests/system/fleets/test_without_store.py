"""Hosts without a store, in the cases that are too long for each day."""

import pytest

from fleet_rotation import begin, rotated
from scenario import wait_until


@pytest.fixture(scope="module")
def store():
    """Choose what the hosts share."""
    return "nothing"


def rolling(fleet):
    """Begin a rotation and wait until every host has the new token, and knows the old connectors.

    A host that is cut off before it knows them cannot tell who has restarted: a person has to say.
    """
    before, count = begin(fleet, "alpha")
    wait_until(lambda: fleet.cloudflare.current()["token"] != before and fleet.delivered(),
               "the new token on all hosts", 60)
    fleet.outside.run("sleep", "5")
    return before, count


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma"])
def test_a_host_that_does_not_reach_cloudflares_api_is_waited_for(fleet, name):
    """Its connector serves; only its keyturnd sees nothing."""
    before, count = rolling(fleet)
    fleet.cut_api(name)
    fleet.outside.run("sleep", "12")
    fleet.mend(name)
    assert rotated(fleet, before) == count + 1


def test_nobody_reaches_cloudflares_api_for_a_while(fleet):
    """The token is already delivered everywhere."""
    before, count = rolling(fleet)
    for name in fleet.hosts:
        fleet.cut_api(name)
    fleet.outside.run("sleep", "12")
    for name in fleet.hosts:
        fleet.mend(name)
    assert rotated(fleet, before) == count + 1


@pytest.mark.breaks("resumed", "waiting")  # A reload begins the open rotation anew.
def test_a_host_that_is_gone_for_ever_is_removed_from_the_policy(fleet):
    """Nothing restarts behind its back, and the others end as soon as they know."""
    before, count = rolling(fleet)
    beta = fleet["beta"].host
    beta.run("systemctl", "stop", "keyturnd", *fleet["beta"].units.names)
    wait_until(lambda: "beta" in fleet["alpha"].keyturn.status().get("reason", ""),
               "alpha to name beta", 60)
    fleet.go_on_without("beta")
    try:
        wait_until(lambda: all(fleet[name].keyturn.status()["state"] == "idle"
                               for name in ("alpha", "gamma")),
                   lambda: "the end; %s" % fleet.told(), 120)
    finally:
        beta.run("systemctl", "start", *fleet["beta"].units.names)
        fleet.go_on_without()
    assert rotated(fleet, before) == count + 1


def test_a_second_change_is_delivered_and_then_a_person_decides(fleet):
    """Somebody else sets a secret while the hosts wait for the first one."""
    rolling(fleet)
    fleet.cloudflare.rotate_by_hand()
    for name, host in fleet.hosts.items():
        host.keyturn.wait_status(60, state="held")
        assert "the token changed again" in host.keyturn.status()["reason"], name
    assert fleet.delivered()
    for host in fleet.hosts.values():
        host.keyturn.ctl("retry", "web", check=True)
    fleet.wait_idle()
    summary = fleet.traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
