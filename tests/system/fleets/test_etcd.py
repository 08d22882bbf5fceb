"""What befalls only a cluster of etcd."""

import pytest

from fleet_rotation import begin, rotated


@pytest.fixture(scope="module")
def store():
    """Choose what the hosts share."""
    return "etcd"


@pytest.mark.parametrize("members", [1, 2, 3])
def test_members_that_stand_still_for_a_while(fleet, members):
    """Two of three are a quorum; without one, everything waits."""
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    gone = fleet.store.units[:members]
    fleet.outside.run("systemctl", "kill", "--signal=STOP", *gone)
    fleet.outside.run("sleep", "12")
    fleet.outside.run("systemctl", "kill", "--signal=CONT", *gone)
    assert rotated(fleet, before) == count + 1


def test_a_compaction_in_the_middle_changes_nothing(fleet):
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    fleet.store.compact()
    assert rotated(fleet, before) == count + 1
