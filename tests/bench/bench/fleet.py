"""What two hosts of one tunnel cost: calls of the store and of Cloudflare, bytes, and time."""

import json
import statistics
import time

from bench import dead_token
from bench.figures import Figure
from scenario import Fleet, Waves, wait_until

ROTATIONS = 3
IDLE_SECONDS = 120
LEAD, FOLLOWER = "alpha", "beta"
# The soak costs one read of each host in 10 s; what is left is the same for any soak.
ROLLOUT = {"soak": "0s", "settle": "0s", "min_healthy_time": "1s"}
# Without a store, hosts look at Cloudflare's list while they wait, so a tenth of all times, and of
# the default of drift.interval, makes as many calls.
SCALE, INTERVAL = 0.1, "90s"


def _store_calls(fleet):
    """Return the calls since the last time."""
    calls = json.loads(fleet.store.control("GET", "/calls"))
    fleet.store.control("DELETE", "/calls")
    return calls


def _count(calls, method):
    return sum(call["method"] == method for call in calls)


def _rotate(fleet):
    before = fleet.cloudflare.current()["token"]
    fleet[LEAD].keyturn.ctl("rotate", "web", check=True)
    wait_until(lambda: fleet.cloudflare.current()["token"] != before, "a new secret", 120, 0.2)
    fleet.wait_idle(240)
    fleet.wait_full()


def without_store(directory, build):
    """Give the figures of hosts that share nothing but Cloudflare."""
    with Waves(directory, build, names=(LEAD, FOLLOWER), rollout=ROLLOUT, fleet_scale=SCALE,
               interval=INTERVAL) as fleet:
        known = fleet.cloudflare.calls()[-1]["n"]
        _rotate(fleet)
        api = [call for call in fleet.cloudflare.calls() if call["n"] > known]
        yield Figure("two hosts without a store, a rotation: calls of Cloudflare", len(api), "",
                     300)


def measured(directory, build):
    """Give one figure after the other. All times of the protocol are the real ones."""
    with Fleet(directory, build, names=(LEAD, FOLLOWER), rollout=ROLLOUT, fleet_scale=1) as fleet:
        dead_token.start_watch(fleet[FOLLOWER].host)
        known = fleet.cloudflare.calls()[-1]["n"]
        _store_calls(fleet)
        for _ in range(ROTATIONS):
            _rotate(fleet)
        store = _store_calls(fleet)
        api = [call for call in fleet.cloudflare.calls() if call["n"] > known]
        windows = dead_token.windows_s(fleet[FOLLOWER].host, fleet.cloudflare, known)
        assert len(windows) == ROTATIONS, len(windows)
        hosts = ROTATIONS * len(fleet.hosts)
        yield Figure("two hosts, a rotation: reads by a host",
                     _count(store, "GET") / hosts, "", 80)
        yield Figure("two hosts, a rotation: writes by a host", _count(store, "PUT") / hosts, "",
                     30)
        yield Figure("two hosts, a rotation: calls of Cloudflare", len(api) / ROTATIONS, "", 40)
        yield Figure("two hosts: dead-token window of the other one",
                     statistics.median(windows), "s", 1.5)
        yield Figure("two hosts: largest object", max(
            call["bytes"] for call in store if call["method"] == "PUT") / 1000, "kB", 12)
        time.sleep(5)
        _store_calls(fleet)
        time.sleep(IDLE_SECONDS)
        store = _store_calls(fleet)
        minutes = IDLE_SECONDS / 60 * len(fleet.hosts)
        yield Figure("two hosts, idle: reads by a host in a minute",
                     _count(store, "GET") / minutes, "", 1.5)
        yield Figure("two hosts, idle: writes", _count(store, "PUT"), "", 0)
