"""All hosts lose what is around them, or their power."""

import pytest

from fleet_rotation import begin, rotated
from scenario import wait_until

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


def single(fleet):
    """Take `coordinator` out of the policy of each host."""
    for host in fleet.hosts.values():
        host.keyturn.write_policy(rollout=fleet.rollout)
        host.host.run("systemctl", "reload", "keyturnd")


def test_a_compromise_does_not_wait_for_the_store_if_the_hosts_act_alone(fleet):
    """As keyturn-fleet(7) says; the fleet goes on afterwards."""
    for name in fleet.hosts:
        fleet.cut_store(name)
    single(fleet)
    before, count = begin(fleet, "alpha", traffic=False, options=("--compromised", "--accept-gap"))
    fleet["alpha"].keyturn.wait_done(120)
    for name in ("beta", "gamma"):
        fleet[name].keyturn.restart()
    wait_until(fleet.delivered, "the new token on all hosts", 60)
    fleet.wait_full(120)
    assert {item["fingerprints"][0] for item in fleet.cloudflare.connectors().values()} == {
        fleet.cloudflare.fingerprint()}
    assert len(fleet.cloudflare.secrets()) == count + 1
    for host in fleet.hosts.values():
        host.keyturn.wait_status(60, state="idle")
        host.journal.begin_history()  # What single hosts tell is not one story.
        fleet.mend(host.name)
        host.keyturn.write_policy(**fleet.policy(host))
        host.host.run("systemctl", "reload", "keyturnd")
    fleet.wait_idle()
    before, count = begin(fleet, "beta")
    assert rotated(fleet, before) == count + 1
