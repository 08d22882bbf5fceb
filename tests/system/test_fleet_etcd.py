"""A fleet that shares its object in a real etcd of three members."""

import pytest

from fleet_rotation import begin, rotated


@pytest.fixture(scope="module")
def store():
    """Choose what the hosts share."""
    return "etcd"


def test_rotates_over_all_hosts_while_etcd_has_no_quorum(fleet):
    """Two of three members stand still for some seconds in the middle; keyturnd waits for them."""
    before, count = begin(fleet, "beta")
    fleet.wait_lead("roll")
    fleet.outside.run("systemctl", "kill", "--signal=STOP", *fleet.store.units[:2])
    fleet.outside.run("sleep", "12")
    fleet.outside.run("systemctl", "kill", "--signal=CONT", *fleet.store.units[:2])
    assert rotated(fleet, before) == count + 1
