"""Several hosts that serve one tunnel, each with its own keyturnd."""

import pytest

from scenario import Fleet

SHORT = {"soak": "2s"}


@pytest.fixture(scope="module", name="fleet")
def two_hosts(request, tmp_path_factory):
    """Boot two hosts of one fleet, with a bucket between them."""
    with Fleet(tmp_path_factory.mktemp("fleet"), request.config.getoption("--build"),
               rollout=SHORT) as fleet:
        yield fleet


def test_rotates_over_all_hosts_without_a_lost_request(fleet):
    before = fleet.cloudflare.current()["token"]
    invocations = {name: host.units.invocations() for name, host in fleet.hosts.items()}
    traffic = fleet.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    fleet["beta"].keyturn.ctl("rotate", "web", check=True)
    fleet["alpha"].keyturn.wait_done(seconds=180)
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    assert fleet.cloudflare.current()["token"] != before
    assert fleet.delivered() and fleet.full()
    for name, host in fleet.hosts.items():
        now = host.units.invocations()
        assert all(now[unit] != invocations[name][unit] for unit in now), name
    print(fleet.told())
