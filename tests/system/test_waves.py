"""Several hosts that share nothing but Cloudflare, and restart one after the other all the same."""

import pytest

from fleet_rotation import begin, rotated
from scenario import wait_until
from scenario.journal import moment


@pytest.fixture(scope="module")
def store():
    """Choose what the hosts share."""
    return "nothing"


def restarts(fleet):
    """Return when each host told that it restarts its unit, and then that the unit serves."""
    return {name: [moment(entry) for kind in ("unit_restarting", "unit_verified")
                   for entry in host.journal.events(kind)]
            for name, host in fleet.hosts.items()}


def test_rotates_over_all_hosts_one_after_the_other_without_a_lost_request(fleet):
    """No host hears of another one but from Cloudflare."""
    for host in fleet.hosts.values():
        host.journal.wait_for("token_unknown")  # Its unit runs since before the first look at it.
        host.journal.mark()
    before, count = begin(fleet, "alpha")
    assert rotated(fleet, before) == count + 1
    times = restarts(fleet)
    alarms = [entry["MESSAGE"] for host in fleet.hosts.values() for entry in host.journal.events()
              if int(entry["PRIORITY"]) < 5]
    assert not alarms, "nothing here is out of the ordinary"
    assert all(len(each) == 2 for each in times.values()), times
    assert times["alpha"][1] < times["beta"][0] < times["beta"][1] < times["gamma"][0], times
    assert len({host.journal_rotation() for host in fleet.hosts.values()}) == 1


def test_keyturnd_is_killed_on_each_host_in_the_middle(fleet):
    """What a host has to remember is on its disk."""
    before, count = begin(fleet, "alpha")
    wait_until(fleet.delivered, "the new token on all hosts", 60)
    for host in fleet.hosts.values():
        host.keyturn.kill()
    assert rotated(fleet, before) == count + 1


def test_only_the_first_host_rotates(fleet):
    """The others say where to type it."""
    refused = fleet["beta"].keyturn.ctl("rotate", "web")
    assert refused.returncode != 0 and "alpha rotates web" in refused.stderr, refused
    told = fleet["beta"].keyturn.ctl("fleet", "status", "web").stdout
    assert "  beta         1 of 1 connectors listed" in told, told
    joined = fleet["beta"].keyturn.ctl("fleet", "join", "web")
    assert joined.returncode != 0 and "nothing to enter or leave" in joined.stderr, joined
