"""One host loses the store, Cloudflare, or both."""

import pytest

from fleet_rotation import begin, rotated

# Longer than any time of the protocol, which runs ten times as fast here.
OUTAGE_SECONDS = "15"


@pytest.mark.parametrize("host", ["alpha", "gamma"])
@pytest.mark.parametrize("what", ["store", "api", "both"])
def test_a_host_that_is_cut_off_comes_back(fleet, host, what):
    """Its connector keeps its connections; if it led, another host leads meanwhile."""
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    if what != "api":
        fleet.cut_store(host)
    if what != "store":
        fleet.cut_api(host)
    fleet.outside.run("sleep", OUTAGE_SECONDS)
    fleet.mend(host)
    assert rotated(fleet, before) == count + 1
