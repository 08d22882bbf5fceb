"""Several hosts of one tunnel that lose each other, what is around them, or their power."""

import pytest

from fleet_rotation import API_PORT, STORE_PORT, begin, rotated

# Longer than any time of the protocol, which runs ten times as fast here.
OUTAGE_SECONDS = "15"


@pytest.mark.parametrize("phase", ["prepare", "roll", "soak"])
def test_all_hosts_that_lose_their_power_at_once_go_on(fleet, phase):
    """Keyturnd and the connectors of every host die together, and come up again."""
    before, count = begin(fleet, "alpha", traffic=False)
    fleet.wait_lead(phase)
    for host in fleet.hosts.values():
        host.host.run("systemctl", "kill", "--signal=KILL", "keyturnd", *host.units.names)
    assert rotated(fleet, before, traffic=False) == count + 1


@pytest.mark.parametrize("port", [STORE_PORT, API_PORT], ids=["store", "api"])
def test_what_all_hosts_cannot_reach_for_a_while_is_waited_for(fleet, port):
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    for name in fleet.hosts:
        fleet.cut(name, port)
    fleet.outside.run("sleep", OUTAGE_SECONDS)
    for name in fleet.hosts:
        fleet.mend(name)
    assert rotated(fleet, before) == count + 1


@pytest.mark.parametrize("host", ["alpha", "gamma"])
def test_a_host_that_is_cut_off_from_everything_comes_back(fleet, host):
    """Its connector keeps its connections; if it led, another host leads meanwhile."""
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    for port in (STORE_PORT, API_PORT):
        fleet.cut(host, port)
    fleet.outside.run("sleep", OUTAGE_SECONDS)
    fleet.mend(host)
    assert rotated(fleet, before) == count + 1
