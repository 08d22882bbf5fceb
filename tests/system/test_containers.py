"""Units with their own network: containers of a real engine, and network namespaces of systemd."""

import json

import pytest

from container_units import PODMAN, PORTS, changed_units, field_layout
from scenario import StockHost, wait_until

RATE = {"rate": 100, "slow_rate": 5}
POLICY = "/etc/keyturn/keyturn.d/95-metrics.yaml"


@pytest.fixture(name="stock")
def host_with_containers(request, tmp_path):
    with StockHost(tmp_path / "host", request.config.getoption("--build"),
                   field_layout()) as host:
        yield host


def write_addresses(stock, addresses):
    """Name where keyturnd asks the units, and let it read that."""
    stock.put(POLICY, 0o644,
              "tunnels: {web: {metrics_address: %s}}\n" % json.dumps(addresses))
    stock.host.run("systemctl", "reload", "keyturnd")


def test_containers_are_brought_in_by_hand_as_adopt_says_and_rotated(stock):
    before = stock.units.invocations()
    left = stock.set_up(check=False)
    assert left.returncode == 1, left.stdout
    for unit in PORTS:
        assert "%s\n    left alone: its environment sets TUNNEL_TOKEN" % unit in left.stdout
    for line in ("--volume %d/token:/run/keyturn/token:ro", "`metrics_address:`"):
        assert line in left.stdout, left.stdout
    assert stock.units.invocations() == before

    traffic = stock.traffic.start(**RATE)
    stock.keyturn.write_api_token("cfut_write-0000000000000000000000000001")
    stock.keyturn.write_policy(units=list(PORTS))
    stock.keyturn.start()
    told = stock.adopt(PODMAN, check=False)
    assert told.returncode != 0 and "keyturnctl does not rewrite it" in told.stderr, told
    for unit, text in changed_units().items():
        stock.put("/etc/systemd/system/" + unit, 0o644, text)
    stock.host.run("systemctl", "daemon-reload")
    for unit in PORTS:
        stock.host.run("systemctl", "restart", unit)
        stock.units.wait_full()

    refused = stock.keyturn.ctl("rotate", "web", "--follow")
    assert refused.returncode == 4, refused.stdout + refused.stderr
    assert "`metrics_address:`" in refused.stdout + refused.stderr
    write_addresses(stock, {unit: "127.0.0.1:%d" % port for unit, port in PORTS.items()})
    stock.rotate()
    stock.rotate()
    again = stock.adopt(PODMAN, check=False)
    assert "already takes its token from" in again.stdout + again.stderr
    assert traffic.stop()["failed"] == 0
    wait_until(stock.units.healthy, "all containers on the current token")
