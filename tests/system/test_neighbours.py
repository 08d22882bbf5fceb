"""An unprivileged user on the host plays against rotations; and a host that is short of things."""

import re

import pytest

from fault_checks import FIRST, check_done, with_rollout
from neighbour import USER, neighbour_on
from scenario import wait_until

# 54ae821 gave up after 1,000 datagrams of the kernel's list, with 256 to 268 sockets in each.
LISTENERS = 290_000
OWN_ADDRESS = "192.0.2.10"


@pytest.fixture(name="neighbour")
def neighbour_of_the_host(scenario):
    with neighbour_on(scenario.host) as neighbour:
        yield neighbour


def lowest_free_descriptor(scenario):
    """Return the number that keyturnd's next file would have."""
    listed = scenario.host.output("ls", "/proc/%d/fd" % scenario.keyturn.main_pid())
    taken = {int(name) for name in listed.split()}
    return min(set(range(len(taken) + 1)) - taken)


def limit_descriptors(scenario, count):
    """Change what keyturnd may have open, as it runs."""
    scenario.host.run("prlimit", "--pid", scenario.keyturn.main_pid(), "--nofile=%d:" % count)


@pytest.fixture(name="watched")
def keyturnd_with_a_short_watchdog(scenario):
    folder = "/run/systemd/system/keyturnd.service.d"
    scenario.host.run("sh", "-c", 'mkdir -p "$1" && printf "[Service]\\nWatchdogSec=2\\n" '
                      '>"$1/watchdog.conf" && systemctl daemon-reload', "set", folder)
    yield
    scenario.host.run("sh", "-c", 'rm -r "$1" && systemctl daemon-reload', "set", folder)


def test_neighbour_is_nobody_with_no_right(scenario, neighbour):
    told = neighbour.start("import os; print(os.getuid(), os.getgid())").stdout.readline()
    expected = scenario.host.output("id", "-u", USER)
    assert told.split()[0] == expected != "0"


def test_more_listening_sockets_than_anybody_needs(scenario, neighbour, traffic):
    neighbour.listen(LISTENERS)
    with_rollout(scenario, soak="3s")
    before = scenario.keyturn.main_pid()
    scenario.keyturn.rotate()
    check_done(scenario)
    assert scenario.keyturn.main_pid() == before


def test_no_file_descriptor_is_left_in_a_soak(scenario, traffic, watched):
    with_rollout(scenario, soak="4s", progress_deadline="5min")
    before = scenario.keyturn.main_pid()
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    # Some are open for a moment only.
    limit_descriptors(scenario, min(lowest_free_descriptor(scenario) for _ in range(20)))
    # Nothing can be asked now. Three times the watchdog's time later it has been fed all the same.
    since = scenario.host.output("cut", "-d.", "-f1", "/proc/uptime")
    wait_until(lambda: int(scenario.host.output("cut", "-d.", "-f1", "/proc/uptime"))
               >= int(since) + 6, "six seconds", 30)
    assert scenario.keyturn.main_pid() == before
    limit_descriptors(scenario, 1024)
    check_done(scenario)
    assert scenario.keyturn.main_pid() == before
    assert not scenario.journal.events("rotation_held")


def test_metrics_server_on_another_address_of_the_host(scenario):
    scenario.host.run("ip", "address", "replace", OWN_ADDRESS + "/32", "dev", "lo")
    scenario.units.drop_in("zz-metrics", "[Service]\nEnvironment=TUNNEL_METRICS=%s:0\n"
                           % OWN_ADDRESS)
    scenario.units.restart()
    assert scenario.units.ready(FIRST) > 0
    scenario.keyturn.rotate()
    check_done(scenario)
    verified = scenario.journal.events("unit_verified")
    assert len(verified) == 2
    assert all(re.search(r"\bready\b", entry["MESSAGE"]) for entry in verified), verified
