"""The fleet key is changed while a rotation is open, as keyturn-fleet(7) describes it."""

import secrets

from fleet_rotation import begin, rotated


def test_is_changed_in_the_middle_of_a_rotation(fleet):
    old, new = fleet.fleet_key, "key-2 " + secrets.token_hex(32)
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    fleet.give_fleet_keys(old, new)
    fleet.give_fleet_keys(new, old)
    assert rotated(fleet, before) == count + 1
    before, count = begin(fleet, "beta")
    assert rotated(fleet, before) == count + 1
    fleet.give_fleet_keys(new)
    before, count = begin(fleet, "gamma")
    assert rotated(fleet, before) == count + 1
