"""All hosts lose what is around them, or their power."""

import pytest

from fleet_rotation import begin, rotated

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


@pytest.mark.parametrize("what", ["store", "api"])
def test_what_all_hosts_cannot_reach_for_a_while_is_waited_for(fleet, what):
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    for name in fleet.hosts:
        (fleet.cut_store if what == "store" else fleet.cut_api)(name)
    fleet.outside.run("sleep", OUTAGE_SECONDS)
    for name in fleet.hosts:
        fleet.mend(name)
    assert rotated(fleet, before) == count + 1
