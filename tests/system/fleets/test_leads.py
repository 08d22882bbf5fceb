"""The host that leads is killed, or loses Cloudflare, in each phase of a rotation."""

import pytest

from fleet_rotation import begin, rotated

PHASES = ["prepare", "roll", "soak"]


@pytest.mark.parametrize("phase", PHASES)
def test_is_killed_and_replaced_or_goes_on(fleet, phase):
    before, count = begin(fleet, "alpha")
    lead = fleet.wait_lead(phase)
    fleet[lead].keyturn.kill()
    assert rotated(fleet, before) == count + 1


def test_is_killed_while_it_sends_the_secret_and_nobody_sends_another_one(fleet):
    hanging = fleet.cloudflare.fault("hang", method="PATCH")
    before, count = begin(fleet, "alpha")
    fleet.cloudflare.wait_fault(hanging, 60)
    lead = fleet.open_rotation()[0] or "alpha"
    fleet[lead].keyturn.kill()
    fleet.cloudflare.heal()
    assert rotated(fleet, before) == count + 1


@pytest.mark.parametrize("phase", PHASES)
def test_is_stopped_and_another_one_leads(fleet, phase):
    """Its unit serves on, and keyturnd comes back once another host leads."""
    before, count = begin(fleet, "alpha")
    lead = fleet.wait_lead(phase)
    fleet[lead].keyturn.stop()
    other = "beta" if lead == "alpha" else "alpha"
    fleet.wait_lead_is(other)
    fleet[lead].host.run("systemctl", "start", "keyturnd")
    assert rotated(fleet, before) == count + 1


def test_without_cloudflare_lets_another_one_lead(fleet):
    before, count = begin(fleet, "alpha")
    lead = fleet.wait_lead("roll")
    fleet.cut_api(lead)
    assert rotated(fleet, before) == count + 1
