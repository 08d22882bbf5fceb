"""Several hosts that serve one tunnel, each with its own keyturnd: what is tried each day.

`fleets/` has the rest.
"""

from fleet_rotation import begin, rotated


def test_rotates_over_all_hosts_without_a_lost_request(fleet):
    """The order was typed on a host that cannot lead."""
    invocations = {name: item.units.invocations() for name, item in fleet.hosts.items()}
    before, count = begin(fleet, "gamma")
    assert rotated(fleet, before) == count + 1
    for name, item in fleet.hosts.items():
        now = item.units.invocations()
        assert all(now[unit] != invocations[name][unit] for unit in now), name
    ids = {item.journal_rotation() for item in fleet.hosts.values()} - {""}
    assert len(ids) == 1


def test_a_lead_that_is_killed_is_replaced_or_goes_on(fleet):
    before, count = begin(fleet, "alpha")
    lead = fleet.wait_lead("roll")
    fleet[lead].keyturn.kill()
    assert rotated(fleet, before) == count + 1


def test_a_host_that_is_cut_off_from_the_store_is_waited_for(fleet):
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    fleet.cut_store("gamma")
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
