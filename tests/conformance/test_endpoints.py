"""READY, and everything the metrics server shows."""

import datetime
import json
import re
import socket
import subprocess

from harness import ACCOUNT, encode_token, new_secret, wait_until

KNOWN_PORTS = range(20241, 20246)


def seconds(text):
    """Return the time of an API timestamp in seconds."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_from_ready_to_four_connections(run, model, tunnel):
    """READY=1 comes with the first connection, once; the others follow at steps of a second."""
    connector = run(tunnel).wait_ready()
    assert 1 <= connector.connections() <= 2
    wait_until(lambda: connector.connections() == 4, "four connections", 5)
    status, value, _ = model.api("GET", tunnel.path + "/connections")
    assert status == 200 and len(value["result"]) == 1
    opened = sorted(seconds(item["opened_at"]) for item in value["result"][0]["conns"])
    assert opened[1] - opened[0] < 0.5
    assert 0.8 < opened[2] - opened[1] < 1.6 and 0.8 < opened[3] - opened[2] < 1.6
    for index in range(4):
        assert "Registered tunnel connection" in connector.log()
        assert re.search(r"Registered tunnel connection connIndex=%d connection=\S+" % index,
                         connector.log())
    assert connector.stop() == 0
    assert connector.received() == ["READY=1"]


def test_ready_and_api_agree_on_the_connector(run, model, tunnel):
    """/ready, the log, /diag/tunnel and the API show one id, and another after a restart."""
    seen = set()
    for _ in range(2):
        connector = run(tunnel, "--ha-connections", "1").wait_ready()
        status, headers, body = connector.get("/ready")
        value = json.loads(body)
        assert status == 200 and headers["Content-Type"].startswith("text/plain")
        assert value == {"status": 200, "readyConnections": 1,
                         "connectorId": connector.connector_id()}
        diag = json.loads(connector.get("/diag/tunnel")[2])
        assert diag["tunnelID"] == tunnel.id and diag["connectorID"] == value["connectorId"]
        path = "%s/connectors/%s" % (tunnel.path, value["connectorId"])
        status, answer, _ = model.api("GET", path)
        assert status == 200 and answer["result"]["id"] == value["connectorId"]
        assert len(answer["result"]["conns"]) == 1
        seen.add(value["connectorId"])
        assert connector.stop() == 0
        assert model.api("GET", path)[0] == 404
    assert len(seen) == 2


def test_diag_tunnel_leaves_zeros_out(run, tunnel):
    """Index 0 and protocol 0 (HTTP/2) are omitted; QUIC is protocol 1."""
    connector = run(tunnel).wait_ready()
    wait_until(lambda: connector.connections() >= 2, "two connections")
    connections = json.loads(connector.get("/diag/tunnel")[2])["connections"]
    first = [item for item in connections if "index" not in item]
    second = [item for item in connections if item.get("index") == 1]
    assert len(first) == len(second) == 1
    for item in first + second:
        assert item["isConnected"] is True and "protocol" not in item and item["edgeAddress"]
    connector = run(tunnel, "--ha-connections", "1", protocol="quic").wait_ready()
    connections = json.loads(connector.get("/diag/tunnel")[2])["connections"]
    assert [item["protocol"] for item in connections] == [1]


def test_other_endpoints(run, tunnel):
    """/healthcheck, /quicktunnel, /config and an unknown path answer as they should."""
    connector = run(tunnel, "--ha-connections", "1").wait_ready()
    assert connector.get("/healthcheck")[0] == 200
    assert connector.get("/healthcheck")[2].strip() == b"OK"
    assert json.loads(connector.get("/quicktunnel")[2]) == {"hostname": ""}
    wait_until(lambda: json.loads(connector.get("/config")[2])["version"] == 1, "the config")
    assert "ingress" in json.loads(connector.get("/config")[2])["config"]
    assert connector.get("/nowhere")[0] == 404


def test_config_version_before_the_first_push(run, model):
    """Without a pushed configuration the version is -1."""
    connector = run(model.new_tunnel(remote_config=False), "--ha-connections", "1").wait_ready()
    assert json.loads(connector.get("/config")[2])["version"] == -1


def test_metrics_of_a_connected_process(run, tunnel):
    """The counters have the names that operators know, and count."""
    connector = run(tunnel, "--ha-connections", "1").wait_ready()
    wait_until(tunnel.live, "a live connection")
    assert tunnel.get() == 200
    status, headers, _ = connector.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain")
    prefix = "cloudflared_tunnel_"
    assert connector.metric(
        prefix + 'tunnel_register_success{rpcName="registerConnection"}') == 1
    assert connector.metric(prefix + 'server_locations{connection_id="0",edge_location="') == 1
    assert connector.metric(prefix + "ha_connections ") == 1
    assert connector.metric(prefix + "total_requests ") == 1
    assert connector.metric(prefix + "concurrent_requests_per_tunnel ") == 0
    assert connector.metric(prefix + 'response_by_code{status_code="200"}') == 1
    assert connector.metric("cloudflared_orchestration_config_version ") == 1
    assert connector.metric("build_info{") == 1
    assert connector.metric("process_start_time_seconds ") > 1e9
    assert connector.refusals() == 0


def test_metrics_of_a_refused_process(run, tunnel):
    """ha_connections is 1 without any connection; register_fail and rpc failures tell the truth."""
    token = encode_token({"a": ACCOUNT, "t": tunnel.id, "s": new_secret()})
    connector = run(tunnel, token=token)
    wait_until(connector.refusals, "a refusal")
    assert connector.metric("cloudflared_tunnel_ha_connections ") == 1
    assert connector.metric('cloudflared_rpc_client_failures{handler="registration",'
                            'method="register_connection"}') >= 1
    assert connector.ready()[0] == 503
    assert connector.ready()[1]["readyConnections"] == 0
    diag = json.loads(connector.get("/diag/tunnel")[2])
    assert diag["tunnelID"] == tunnel.id and "connections" not in diag


def test_ready_command(binary, run, model, tunnel):
    """`tunnel ready` returns 0 with a connection, and 1 without."""
    connector = run(tunnel, "--ha-connections", "1").wait_ready()

    def ready(*level):
        words = [binary, "tunnel", *level, "ready"]
        return subprocess.run(words, capture_output=True, timeout=10).returncode

    address = connector.metrics_address()
    assert ready("--metrics", address) == 0
    tunnel.rotate()
    assert model.control("POST", "/drop", {"tunnel": tunnel.id}) == {"dropped": 1}
    wait_until(lambda: connector.ready()[0] == 503, "no connection")
    assert ready("--metrics", address) == 1
    assert ready() == 1
    connector.kill()
    assert ready("--metrics", address) == 1


def test_default_metrics_ports(spawn, tunnel):
    """Without --metrics the first free port of 20241..20245 is used, and else any port."""
    held = {}
    for port in KNOWN_PORTS:
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            held[port] = listener
        except OSError:
            listener.close()
    words = ("tunnel", "--ha-connections", "1", "run", "--token", tunnel.token)
    try:
        connector = spawn(*words)
        assert int(connector.metrics_address().rsplit(":", 1)[1]) not in KNOWN_PORTS
        assert len(held) >= 2, "somebody else has the known ports"
        free = sorted(held)[:2]
        for port in free:
            held.pop(port).close()
        addresses = [spawn(*words).metrics_address() for _ in free]
        assert addresses == ["127.0.0.1:%d" % port for port in free]
    finally:
        for listener in held.values():
            listener.close()
