"""Careless rotations lose requests here, and a careful one by hand loses none: so a rotation by
keyturnd that loses none has shown something.
"""

import pytest

from scenario import wait_until

FIRST = "cloudflared-web@1.service"
SECOND = "cloudflared-web@2.service"
ROUNDS_MAX = 5
# A registration precedes the first request by this: for a moment, and longer than a busy machine
# takes from the end of one job to the stop of the next unit.
LIVE_DELAY = 0.25
LONG_LIVE_DELAY = 1.5


@pytest.fixture(scope="module", name="host")
def scenario_without_keyturn(boot):
    return boot(keyturn=False, start_timeout="3", restart_pause="1")


@pytest.fixture(name="scenario")
def healthy_scenario(host):
    """The scenario with the right token in its file and both connectors up."""
    yield host
    host.cloudflare.heal()
    host.keyturn.put_token(host.cloudflare.current()["token"])
    host.units.wait_full()


def start_traffic(scenario):
    return scenario.traffic.start(rate=200, slow_rate=20, slow_delay="1s")


def restart(scenario, *units, check=True):
    """Restart units, and return at the end of their jobs."""
    return scenario.host.run("systemctl", "restart", *units, check=check)


def restart_one_by_one(scenario, wait):
    if wait:
        restart(scenario, FIRST)
        scenario.units.wait_ready(FIRST)
        restart(scenario, SECOND)
    else:
        scenario.host.run("sh", "-c", 'systemctl restart "$1" && systemctl restart "$2"', "both",
                          FIRST, SECOND)
    scenario.units.wait_full()


def test_all_units_restarted_at_once_lose_requests(scenario):
    traffic = start_traffic(scenario)
    restart(scenario, FIRST, SECOND)
    scenario.units.wait_full()
    summary = traffic.stop()
    assert summary["failed_by"].get("530", 0) > 0, summary["failed_by"]


def test_killed_connector_loses_what_is_in_flight(scenario):
    traffic = start_traffic(scenario)
    victim = scenario.units.connector(FIRST)
    wait_until(lambda: scenario.cloudflare.connectors()[victim]["in_flight"], "a request in flight")
    scenario.host.run("systemctl", "kill", "--signal=KILL", FIRST)
    wait_until(lambda: victim not in scenario.cloudflare.connectors(), "the end of the connector")
    scenario.units.wait_full()
    summary = traffic.stop()
    assert summary["classes"]["slow"]["failed_by"].get("502", 0) > 0, summary["failed_by"]


def test_restart_before_delivery_is_refused_and_loses_everything(scenario):
    traffic = start_traffic(scenario)
    new_token = scenario.cloudflare.rotate_by_hand()
    assert new_token != scenario.keyturn.token()
    assert restart(scenario, FIRST, check=False).returncode != 0
    left = list(scenario.cloudflare.connectors())
    assert left == [scenario.units.connector(SECOND)]
    refused = scenario.cloudflare.events("registrations_refused")
    assert refused and refused[-1]["error"] == "Unauthorized: Invalid tunnel secret"
    assert restart(scenario, SECOND, check=False).returncode != 0
    assert not scenario.cloudflare.connectors()
    lost = traffic.status()["failed_by"].get("530", 0)
    wait_until(lambda: traffic.status()["failed_by"].get("530", 0) > lost, "the loss to go on")
    scenario.keyturn.put_token(new_token)
    scenario.units.wait_full()
    summary = traffic.stop()
    assert summary["failed_by"]["530"] > 200, summary["failed_by"]


def test_going_on_at_the_jobs_end_loses_requests_and_waiting_does_not(scenario):
    scenario.cloudflare.knobs(live_delay_seconds=LONG_LIVE_DELAY)
    traffic = start_traffic(scenario)
    for rounds in range(1, ROUNDS_MAX + 1):
        restart_one_by_one(scenario, wait=False)
        if traffic.status()["failed"]:
            break
    assert traffic.stop()["failed"] > 0, "nothing was lost in %d rounds" % rounds
    scenario.cloudflare.knobs(live_delay_seconds=LIVE_DELAY)
    traffic = start_traffic(scenario)
    for _ in range(rounds):
        restart_one_by_one(scenario, wait=True)
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]


def test_careful_rotation_by_hand_loses_nothing(scenario):
    traffic = start_traffic(scenario)
    old = scenario.cloudflare.fingerprint()
    scenario.keyturn.put_token(scenario.cloudflare.rotate_by_hand())
    restart_one_by_one(scenario, wait=True)
    summary = traffic.stop()
    assert summary["sent"] > 400 and summary["failed"] == 0, summary["failures"]
    new = scenario.cloudflare.fingerprint()
    assert new != old
    marks = [item["fingerprints"] for item in scenario.cloudflare.connectors().values()]
    assert marks == [[new], [new]]
