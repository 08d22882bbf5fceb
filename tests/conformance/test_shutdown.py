"""How the connector ends: drain, grace period, second signal."""

import signal
import threading
import time

import pytest
from harness import http_get, wait_until

ONE = ("--ha-connections", "1")


class Background:
    """A request of the public that runs while the test goes on."""

    def __init__(self, tunnel, path):
        self.status = None
        self.body = b""
        self._tunnel = tunnel
        self._thread = threading.Thread(target=self._run, args=(path,), daemon=True)
        self._thread.start()

    def _run(self, path):
        address = self._tunnel.model.addresses["public"]
        self.status, _, self.body = http_get(address, path, {"Host": self._tunnel.host}, 30)
        self.finished = time.monotonic()

    def wait(self, seconds=10):
        """Wait for the answer, or for its failure."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the request did not end"
        return self.status


def live(run, tunnel, *flags):
    """Return a connector that takes requests."""
    connector = run(tunnel, *ONE, *flags).wait_ready()
    wait_until(tunnel.live, "a live connection")
    return connector


def in_flight(tunnel, path):
    """Return a request that has reached the connector."""
    request = Background(tunnel, path)
    wait_until(lambda: sum(item["in_flight"] for item in tunnel.state()["connectors"]),
               "the request to be in flight")
    return request


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_stop(run, tunnel, number):
    """Without requests a stop takes a moment, and the status is 0."""
    connector = live(run, tunnel)
    started = time.monotonic()
    connector.send(number)
    assert connector.wait_exit() == 0
    assert time.monotonic() - started < 0.5
    assert tunnel.connectors() == []


def test_stop_during_the_start(run, tunnel):
    """A stop within a second of the last connection waits for that second to end."""
    connector = run(tunnel, "--ha-connections", "2").wait_ready()
    wait_until(lambda: connector.connections() == 2, "two connections")
    started = time.monotonic()
    assert connector.stop() == 0
    assert 0.5 < time.monotonic() - started < 1.5


def test_request_in_flight_completes(run, tunnel):
    """During the drain /ready is 503 at once; the request is answered; then the process ends."""
    connector = live(run, tunnel)
    request = in_flight(tunnel, "/?delay=1500ms")
    connector.send(signal.SIGTERM)
    wait_until(lambda: connector.ready()[0] == 503, "/ready to turn", 0.3)
    assert request.status is None
    assert connector.wait_exit() == 0
    assert request.wait() == 200
    assert time.monotonic() - request.finished < 0.7


def test_long_stream_is_cut_at_the_grace_period(run, tunnel):
    """What outlives the grace period is cut, and the status is still 0."""
    connector = live(run, tunnel, "--grace-period", "1s")
    request = in_flight(tunnel, "/stream?seconds=20")
    started = time.monotonic()
    assert connector.stop() == 0
    assert 0.9 < time.monotonic() - started < 1.8
    assert request.wait() is None


def test_edge_that_does_not_close(run, model, tunnel):
    """An edge that leaves the connection open costs the whole grace period."""
    connector = live(run, tunnel, "--grace-period", "1500ms")
    model.control("POST", "/knobs", {"close_after_drain": False})
    started = time.monotonic()
    assert connector.stop() == 0
    assert 1.4 < time.monotonic() - started < 2.3


def test_second_signal_kills(run, tunnel):
    """The second SIGTERM ends the process at once, by signal, with the request in flight."""
    connector = live(run, tunnel)
    request = in_flight(tunnel, "/?delay=5s")
    connector.send(signal.SIGTERM)
    wait_until(lambda: connector.ready()[0] == 503, "the drain")
    started = time.monotonic()
    connector.send(signal.SIGTERM)
    assert connector.wait_exit() == -signal.SIGTERM
    assert time.monotonic() - started < 0.5
    assert request.wait() == 502


def test_new_requests_go_elsewhere_during_the_drain(run, tunnel):
    """While one connector drains the other answers everything."""
    leaving, staying = live(run, tunnel), live(run, tunnel)
    wait_until(lambda: tunnel.live() == 2, "two live connections")
    requests = []
    while leaving.metric("cloudflared_tunnel_concurrent_requests_per_tunnel ") < 1:
        assert len(requests) < 20
        requests.append(Background(tunnel, "/?delay=1s"))
        time.sleep(0.03)
    leaving.send(signal.SIGTERM)
    wait_until(lambda: leaving.ready()[0] == 503, "the drain")
    before = staying.metric("cloudflared_tunnel_total_requests ")
    assert [tunnel.get() for _ in range(10)] == [200] * 10
    assert staying.metric("cloudflared_tunnel_total_requests ") == before + 10
    assert leaving.wait_exit() == 0
    assert {request.wait() for request in requests} == {200}


def test_stop_before_the_first_connection(run, tunnel):
    """A process that was never connected stops at once."""
    wrong = tunnel.model.new_tunnel()
    wrong.rotate()
    connector = run(wrong)
    wait_until(connector.refusals, "a refusal")
    started = time.monotonic()
    assert connector.stop() == 0
    assert time.monotonic() - started < 0.5


def test_stop_of_a_refused_process_takes_up_to_the_grace_period(run, model, tunnel):
    """With every connection waiting for a retry a stop lasts at most the grace period."""
    connector = live(run, tunnel, "--grace-period", "1s")
    tunnel.rotate()
    assert model.control("POST", "/drop", {"tunnel": tunnel.id}) == {"dropped": 1}
    wait_until(lambda: "Connection terminated" in connector.log(), "the long wait")
    started = time.monotonic()
    assert connector.stop() == 0
    assert time.monotonic() - started < 1.8
