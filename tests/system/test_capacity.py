"""More replicas, more traffic, and replicas that decay while they wait."""

import time

import pytest

from scenario import wait_until
from scenario.journal import moment

LAST = "cloudflared-web@4.service"


@pytest.fixture(scope="module", name="scenario")
def four_replicas(boot):
    return boot(units=4)


@pytest.fixture(autouse=True)
def fresh(scenario):
    scenario.units.wait_full()
    scenario.journal.mark()


def test_four_units_rotate_under_traffic_without_a_lost_request(scenario):
    traffic = scenario.traffic.start(rate=200, slow_rate=20, slow_delay="2s")
    done = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    summary = traffic.stop()
    assert summary["sent"] > 2000 and summary["failed"] == 0, summary["failures"]
    now = scenario.cloudflare.fingerprint()
    connectors = scenario.cloudflare.connectors().values()
    assert [item["fingerprints"] for item in connectors] == [[now]] * 4


def test_a_replica_that_decays_is_promoted_before_it_stops_serving(scenario):
    scenario.keyturn.write_policy(rollout={"soak": "2min"})
    scenario.keyturn.restart()
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started", seconds=60)
    connector = scenario.units.connector(LAST)
    since = time.time()
    scenario.cloudflare.drop(connector=connector, count=2)
    decayed = scenario.journal.wait_for("replica_decaying", target_unit=LAST)
    assert "2 of 4 connections" in decayed["MESSAGE"]
    promoted = scenario.journal.wait_for("replica_promoted", seconds=60, target_unit=LAST)
    again = scenario.journal.wait_for("unit_verified", seconds=60, target_unit=LAST)
    assert moment(promoted) < moment(again)
    restarting = scenario.journal.events("unit_restarting", target_unit=LAST)[0]
    closed = [event for event in scenario.cloudflare.events("connections_closed", since)
              if event["connector"] == connector]
    assert len(closed) == 4
    restarted_at = int(restarting["__REALTIME_TIMESTAMP"]) / 1e6
    broken_off = [event for event in closed if event["at"] < restarted_at]
    assert len(broken_off) == 2, "it serves until its restart"
    wait_until(lambda: scenario.journal.story().count("soak_started") == 2, "the soak anew")
    assert scenario.keyturn.ctl("revert", "web").returncode == 0
    scenario.keyturn.wait_done(outcome="reverted")
    summary = traffic.stop()
    # What was under way on the two is lost with them, by whoever broke them off.
    under_way = sum(event["in_flight"] for event in broken_off)
    assert summary["failed"] <= under_way, summary["failures"]


def test_a_soak_ends_early_when_all_is_back(scenario):
    scenario.keyturn.write_policy(rollout={"soak": {"min": "1s", "max": "5min"}})
    scenario.keyturn.restart()
    assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == 0
    started = scenario.journal.events("soak_started")[0]
    ended = scenario.journal.events("soak_ended")[0]
    assert "1s to 5m" in started["MESSAGE"]
    assert 1 <= moment(ended) - moment(started) < 60
