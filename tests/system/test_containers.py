"""Units with their own network: containers of a real engine, and network namespaces of systemd."""

import json

import pytest

from container_units import ADDRESS, PODMAN, PORTS, changed_units, field_layout
from layouts import TOKEN_FILE, private, unit
from scenario import Layout, StockHost, wait_until

RATE = {"rate": 100, "slow_rate": 5}
POLICY = "/etc/keyturn/keyturn.d/95-metrics.yaml"


NAMESPACE = """
set -eu
ip netns add "$1"
ip link add "$1" type veth peer name eth0 netns "$1"
ip address add "10.99.$2.1/30" dev "$1"
ip link set "$1" up
for command in "link set lo up" "address add 10.99.$2.2/30 dev eth0" "link set eth0 up" \\
        "route add default via 10.99.$2.1"; do
    ip -n "$1" $command
done
systemctl enable --quiet --now "metrics-$1.socket"
"""
NAMES = {"cloudflared-a.service": "tunnel-a", "cloudflared-b.service": "tunnel-b"}
FORWARDED = {"cloudflared-a.service": "127.0.0.1:20341", "cloudflared-b.service": "127.0.0.1:20342"}
# What another user of the host answers in the place of a unit.
STRANGER = """
import http.server, json, sys
BODIES = {"/ready": {"status": 200, "readyConnections": 4, "connectorId": sys.argv[2]},
          "/diag/tunnel": {"tunnelID": sys.argv[3], "connectorID": sys.argv[2]}}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(BODIES[self.path]).encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def in_namespaces():
    """Return a layout of two units in network namespaces, whose metrics servers are forwarded."""
    units, files = {}, {}
    for name, space in NAMES.items():
        units[name] = unit("NetworkNamespacePath=/run/netns/" + space,
                           "ExecStart=/usr/bin/cloudflared --no-autoupdate "
                           "--metrics 127.0.0.1:20241 tunnel run --token-file " + TOKEN_FILE)
        files["/etc/systemd/system/metrics-%s.socket" % space] = (
            0o644, "[Socket]\nListenStream=%s\n[Install]\nWantedBy=sockets.target\n"
            % FORWARDED[name])
        files["/etc/systemd/system/metrics-%s.service" % space] = (
            0o644, "[Service]\nNetworkNamespacePath=/run/netns/%s\n"
            "ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:20241\n" % space)
    files[TOKEN_FILE] = private("%(token)s")

    def make_namespaces(stock):
        for number, space in enumerate(NAMES.values(), 1):
            stock.host.run("sh", "-c", NAMESPACE, "namespace", space, str(number))

    return Layout(units, files, before_start=make_namespaces, address=ADDRESS)


LAYOUTS = {"containers": field_layout, "namespaces": in_namespaces}


@pytest.fixture(name="stock")
def host_of_a_layout(request, tmp_path):
    with StockHost(tmp_path / "host", request.config.getoption("--build"),
                   LAYOUTS[request.param]()) as host:
        host.keyturn.write_api_token("cfut_write-0000000000000000000000000001")
        host.keyturn.write_policy(units=host.units.names)
        yield host


def write_addresses(stock, addresses):
    """Name where keyturnd asks the units, and let it read that."""
    stock.put(POLICY, 0o644,
              "tunnels: {web: {metrics_address: %s}}\n" % json.dumps(addresses))
    stock.host.run("systemctl", "reload", "keyturnd")


def refusal(stock):
    """Ask for a rotation that has to be refused, and return why."""
    refused = stock.keyturn.ctl("rotate", "web", "--follow")
    assert refused.returncode == 4, refused.stdout + refused.stderr
    return refused.stdout + refused.stderr


@pytest.mark.parametrize("stock", ["containers"], indirect=True)
def test_containers_are_brought_in_by_hand_as_adopt_says_and_rotated(stock):
    before = stock.units.invocations()
    traffic = stock.traffic.start(**RATE)
    stock.keyturn.start()
    left = stock.set_up(check=False)
    for name in PORTS:
        assert "%s\n    left alone: its environment sets TUNNEL_TOKEN" % name in left.stdout
    told = stock.adopt(PODMAN, check=False)
    assert told.returncode != 0, told.stdout
    for text in (left.stdout, told.stderr):
        assert "keyturnctl does not rewrite it, so change the unit" in text
    assert stock.units.invocations() == before

    for name, text in changed_units().items():
        stock.put("/etc/systemd/system/" + name, 0o644, text)
    stock.host.run("systemctl", "daemon-reload")
    for name in PORTS:
        stock.host.run("systemctl", "restart", name)
        stock.units.wait_full()
    assert "`metrics_address:`" in refusal(stock)
    write_addresses(stock, {name: "127.0.0.1:%d" % port for name, port in PORTS.items()})
    stock.rotate()
    stock.rotate()
    # Two of them run in the control groups of their units.
    assert stock.set_up(check=False).stdout.count("left alone: a container (libpod-") == 1
    again = stock.adopt(PODMAN, check=False)
    assert "already takes its token from" in again.stderr
    assert traffic.stop()["failed"] == 0
    wait_until(stock.units.healthy, "all containers on the current token")


@pytest.mark.parametrize("stock", ["namespaces"], indirect=True)
def test_units_in_network_namespaces_are_adopted_and_rotated(stock):
    traffic = stock.traffic.start(**RATE)
    stock.keyturn.start()
    refused = stock.adopt(*NAMES, check=False)
    assert refused.returncode != 0
    assert "`metrics_address:`" in refused.stdout + refused.stderr
    write_addresses(stock, FORWARDED)
    stock.adopt(*NAMES)
    stock.rotate()
    stock.rotate()
    assert traffic.stop()["failed"] == 0


@pytest.mark.parametrize("stock", ["namespaces"], indirect=True)
def test_nobody_else_can_answer_for_a_unit(stock):
    stock.keyturn.start()
    write_addresses(stock, FORWARDED)
    stock.adopt(*NAMES)
    first, second = NAMES
    connector = stock.units.connector(first)
    stock.host.run("systemd-run", "--quiet", "--uid=nobody", "--unit=stranger", "/usr/bin/python3",
                   "-c", STRANGER, "20399", connector, stock.cloudflare.tunnel)
    stranger = "http://127.0.0.1:20399/ready"
    wait_until(lambda: connector in stock.host.run("curl", "-s", stranger, check=False).stdout,
               "the stranger's answer")
    write_addresses(stock, {**FORWARDED, first: "127.0.0.1:20399"})
    assert "root did not start" in refusal(stock)
    # Root can still be wrong: the other unit's server, under another address.
    stock.put("/etc/systemd/system/wrong.socket", 0o644,
              "[Socket]\nListenStream=127.0.0.1:20398\nService=metrics-tunnel-b.service\n")
    stock.host.run("systemctl", "daemon-reload")
    stock.host.run("systemctl", "stop", "metrics-tunnel-b.service")
    stock.host.run("systemctl", "start", "wrong.socket")
    write_addresses(stock, {**FORWARDED, first: "127.0.0.1:20398"})
    assert "also answers for " + second in refusal(stock)
    write_addresses(stock, FORWARDED)
    stock.rotate()
