"""What happens to a connector whose secret is not, or no longer, the tunnel's."""

import pytest
from harness import ACCOUNT, encode_token, new_secret, wait_until

# The shortest waits the program can be asked for: up to 1 s between attempts of the first
# connection, and up to 11 s for the others.
SHORT_WAITS = ("--retries", "0")


def token_of(tunnel, secret):
    """Return a token for the tunnel with any secret."""
    return encode_token({"a": ACCOUNT, "t": tunnel.id, "s": secret})


@pytest.mark.parametrize("protocol", ["http2", "quic"])
def test_refused_for_ever_then_recovers(run, tunnel, protocol):
    """A wrong secret is retried without end and without READY; the right one heals it."""
    secret = new_secret()
    connector = run(tunnel, *SHORT_WAITS, token=token_of(tunnel, secret), protocol=protocol)
    wait_until(lambda: connector.refusals() >= 3, "three refusals")
    assert connector.process.poll() is None
    assert connector.ready()[0] == 503 and connector.received() == []
    assert "Retrying connection in up to 2s" in connector.log()
    assert ("Unauthorized: Invalid tunnel secret" in connector.log()) == (protocol == "http2")
    assert ("Register tunnel error from server side" in connector.log()) == (protocol == "http2")
    assert ("control stream encountered a failure while serving" in connector.log()) == (
        protocol == "quic")
    tunnel.set_secret(secret)
    connector.wait_ready(5)
    assert connector.ready()[0] == 200


def test_waits_between_attempts_grow(run, tunnel):
    """With the usual number of retries the upper bound doubles from 2 s on."""
    connector = run(tunnel, token=token_of(tunnel, new_secret()))
    for bound in ("2s", "4s"):
        connector.wait_logged("Retrying connection in up to " + bound)


def test_unknown_tunnel_is_retried(run, model, tunnel):
    """A tunnel that does not exist is refused, too, and tried again."""
    model.control("POST", "/tunnels", {"id": tunnel.id, "deleted": True})
    connector = run(tunnel, *SHORT_WAITS)
    connector.wait_logged("Unauthorized: Failed to get tunnel")
    wait_until(lambda: connector.refusals() >= 2, "a second attempt")
    model.control("POST", "/tunnels", {"id": tunnel.id, "deleted": False})
    connector.wait_ready(5)


def test_other_errors_end_the_process_on_http2_only(run, model, tunnel):
    """An error that is no Unauthorized ends the program with 1 over HTTP/2, never over QUIC."""
    model.control("POST", "/knobs", {"registration_error": "Internal edge error"})
    quic = run(tunnel, *SHORT_WAITS, protocol="quic")
    http2 = run(tunnel, *SHORT_WAITS)
    assert http2.wait_exit() == 1
    assert "Internal edge error" in http2.log()
    wait_until(lambda: quic.refusals() >= 2, "another attempt over QUIC")
    assert quic.process.poll() is None


def test_edge_out_of_reach_is_retried(spawn, model, tunnel):
    """Without any edge the program goes on trying, and connects once there is one."""
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", *SHORT_WAITS, "--edge", "127.0.0.1:1",
                      "run", "--token", tunnel.token)
    connector.wait_logged("Retrying connection in up to")
    assert connector.process.poll() is None and connector.ready()[0] == 503
    assert connector.refusals() == 0


def test_rotated_while_connected_decays(run, model, tunnel):
    """A new secret leaves connections alone; one that drops does not come back; the unit stays."""
    connector = run(tunnel, *SHORT_WAITS, protocol="quic").wait_ready()
    wait_until(lambda: connector.connections() == 4 and tunnel.live() == 4, "four connections", 5)
    tunnel.rotate()
    assert connector.connections() == 4 and tunnel.get() == 200

    def drop(index):
        body = {"connector": connector.connector_id(), "index": index}
        assert model.control("POST", "/drop", body) == {"dropped": 1}

    drop(1)
    wait_until(lambda: connector.connections() == 3, "the loss to show", 0.5)
    assert connector.ready()[0] == 200 and tunnel.get() == 200
    drop(0)
    wait_until(connector.refusals, "the refusal of the first connection", 3)
    wait_until(lambda: "Connection terminated connIndex=1" in connector.log(), "the long wait", 5)
    assert connector.connections() == 2 and connector.ready()[0] == 200
    drop(2)
    drop(3)
    wait_until(lambda: connector.ready()[0] == 503, "no connection", 0.5)
    assert tunnel.get() == 530
    assert connector.process.poll() is None
    assert connector.metric('cloudflared_tunnel_server_locations{connection_id="0"') == 1
    tunnel.set_secret(tunnel.secret)
    wait_until(lambda: connector.ready()[0] == 200, "a connection with the right secret", 5)


def test_dropped_connection_comes_back_with_a_valid_secret(run, model, tunnel):
    """Without a rotation a connection that drops is restored."""
    connector = run(tunnel, *SHORT_WAITS, "--ha-connections", "1", protocol="quic").wait_ready()
    assert model.control("POST", "/drop", {"tunnel": tunnel.id}) == {"dropped": 1}
    wait_until(lambda: connector.connections() == 0, "the loss to show", 0.5)
    wait_until(lambda: connector.connections() == 1, "the connection to come back", 5)
    assert connector.refusals() == 0


def test_eviction_by_the_api(run, model, tunnel):
    """DELETE with client_id drops that connector alone; with the old secret it stays out."""
    one = run(tunnel, *SHORT_WAITS, "--ha-connections", "1", protocol="quic").wait_ready()
    other = run(tunnel, *SHORT_WAITS, "--ha-connections", "1", protocol="quic").wait_ready()
    tunnel.rotate()
    path = "%s/connections?client_id=%s" % (tunnel.path, one.connector_id())
    assert model.api("DELETE", path)[0] == 200
    wait_until(lambda: one.ready()[0] == 503, "the eviction", 0.5)
    wait_until(lambda: one.refusals() >= 2, "attempts to come back")
    assert other.ready()[0] == 200
    assert tunnel.connectors() == [other.connector_id()]
