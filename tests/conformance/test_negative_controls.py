"""Proof that the model loses requests where the real thing would, and only there."""

import signal

from harness import wait_until

# Two connections per connector instead of four: they need no wait of a second between them.
TWO = ("--ha-connections", "2")


def connected(tunnel, count):
    """Wait until the edge may use this many connections of the tunnel."""
    wait_until(lambda: tunnel.live() == count, "%d live connections" % count, 6)


def start_pair(run, tunnel):
    """Start two connectors and wait until both have all their connections."""
    pair = [run(tunnel, *TWO).wait_ready(), run(tunnel, *TWO).wait_ready()]
    connected(tunnel, 4)
    return pair


def in_flight_on_all(tunnel):
    """Wait until each connector has a request in flight."""
    wait_until(lambda: all(item["in_flight"] for item in tunnel.state()["connectors"]),
               "requests in flight on all")


def test_requests_are_spread(run, tunnel):
    """Both connectors get their share of the requests."""
    pair = start_pair(run, tunnel)
    assert [tunnel.get() for _ in range(60)] == [200] * 60
    served = [item.metric("cloudflared_tunnel_total_requests ") for item in pair]
    assert sum(served) == 60 and min(served) >= 10


def test_one_after_the_other_loses_nothing(run, traffic, tunnel):
    """The careful way: deliver, restart one, wait for all its connections, restart the next."""
    pair = start_pair(run, tunnel)
    load = traffic(tunnel, rate=150, slow_rate=10, slow_delay="1s")
    load.settle()
    token = tunnel.rotate()
    for old in pair:
        assert old.stop() == 0
        new = run(tunnel, *TWO, token=token).wait_ready()
        wait_until(lambda connector=new: connector.connections() == 2, "two connections")
        connected(tunnel, 4)
    summary = load.finish()
    assert summary["sent"] > 200 and summary["ok"] == summary["sent"], summary["failures"]
    now = tunnel.state()
    assert {mark for item in now["connectors"] for mark in item["fingerprints"]} == {
        now["fingerprint"]}


def test_going_on_at_once_loses_requests(run, model, traffic, tunnel):
    """READY is not enough: a connection that is not live yet takes no requests."""
    model.control("POST", "/knobs", {"live_delay_seconds": 0.4})
    pair = start_pair(run, tunnel)
    load = traffic(tunnel, rate=150)
    load.settle()
    token = tunnel.rotate()
    for old in pair:
        assert old.stop() == 0
        run(tunnel, *TWO, token=token).wait_ready()
    summary = load.finish()
    assert summary["failed_by"].get("530", 0) > 0
    assert set(summary["failed_by"]) == {"530"}


def test_restarting_both_at_once_loses_requests(run, traffic, tunnel):
    """With all connectors in their restart there is nobody to send a request to."""
    pair = start_pair(run, tunnel)
    load = traffic(tunnel, rate=150, slow_rate=10, slow_delay="1s")
    load.settle()
    token = tunnel.rotate()
    for old in pair:
        old.send(signal.SIGTERM)
    for old in pair:
        assert old.wait_exit() == 0
    for _ in pair:
        run(tunnel, *TWO, token=token).wait_ready()
    connected(tunnel, 4)
    assert tunnel.get() == 200
    summary = load.finish()
    assert summary["failed_by"].get("530", 0) > 10
    assert summary["failed"] == len(summary["failures"]) == sum(summary["failed_by"].values())
    assert summary["ok"] + summary["failed"] == summary["sent"]


def test_kill_with_requests_in_flight_loses_them(run, traffic, tunnel):
    """SIGKILL loses what is in flight on that connector, as 502, and nothing else."""
    pair = start_pair(run, tunnel)
    load = traffic(tunnel, rate=100, slow_rate=20, slow_delay="1s")
    load.settle()
    in_flight_on_all(tunnel)
    pair[0].send(signal.SIGKILL)
    assert pair[0].wait_exit() == -signal.SIGKILL
    connected(tunnel, 2)
    assert tunnel.get() == 200
    summary = load.finish()
    assert set(summary["failed_by"]) == {"502"}
    assert summary["classes"]["slow"]["failed"] > 0


def test_restart_before_delivery_loses_capacity(run, traffic, tunnel):
    """After a PATCH the old token is refused: each restart with it takes a replica away."""
    pair = start_pair(run, tunnel)
    load = traffic(tunnel, rate=100)
    load.settle()
    old_mark = tunnel.state()["fingerprint"]
    tunnel.rotate()
    assert pair[0].stop() == 0
    stale = run(tunnel)
    wait_until(stale.refusals, "the refusal of the old token")
    assert stale.received() == [] and stale.ready()[0] == 503
    state = tunnel.state()
    assert [item["id"] for item in state["connectors"]] == [pair[1].connector_id()]
    assert state["connectors"][0]["fingerprints"] == [old_mark] != [state["fingerprint"]]
    assert tunnel.get() == 200
    assert pair[1].stop() == 0
    run(tunnel)
    assert tunnel.get() == 530
    load.settle()
    summary = load.finish()
    assert summary["failed_by"].get("530", 0) > 0


def test_eviction_of_all_loses_requests(run, model, traffic, tunnel):
    """DELETE of all connections loses what is in flight, and all that comes until they are back."""
    start_pair(run, tunnel)
    load = traffic(tunnel, rate=100, slow_rate=20, slow_delay="1s")
    load.settle()
    in_flight_on_all(tunnel)
    tunnel.rotate()
    assert model.api("DELETE", tunnel.path + "/connections")[0] == 200
    assert tunnel.connections() == 0
    assert [tunnel.get() for _ in range(10)] == [530] * 10
    load.settle()
    summary = load.finish()
    assert summary["failed_by"].get("502", 0) > 0
    assert summary["failed_by"].get("530", 0) > 0
