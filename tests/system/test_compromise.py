"""A token in wrong hands: whoever uses it is out, and stays out."""

import re
import time

import pytest

from fault_checks import with_rollout
from scenario import wait_until
from strays import attach_stray, ours_alone, remove_stray

# From the new secret: 30 s, a look at the API, and a loaded machine.
LOCKOUT_MAX = 60
BLIND = "[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"


@pytest.fixture(autouse=True)
def no_stray_is_left(scenario):
    yield
    remove_stray(scenario)


def calls_after_patch(scenario, before):
    """Return what was asked of the API after the PATCH that comes after `before` calls."""
    calls = scenario.cloudflare.calls()[before:]
    patched = next(i for i, call in enumerate(calls) if call["method"] == "PATCH")
    return [(call["method"], call["path"].rsplit("/", 1)[-1]) for call in calls[patched + 1:]]


def test_a_stranger_is_cut_off_and_ours_lose_nothing(scenario):
    stray = attach_stray(scenario)
    before = len(scenario.cloudflare.calls())
    since = max(event["at"] for event in scenario.cloudflare.events())
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    done = scenario.keyturn.ctl("rotate", "web", "--compromised", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    traffic.stop()
    lost = scenario.cloudflare.events("requests_lost", since)
    assert {event["connector"] for event in lost} <= {stray}, lost
    asked = calls_after_patch(scenario, before)
    assert asked.index(("GET", "connections")) < asked.index(("DELETE", "connections")), asked
    assert asked.count(("DELETE", "connections")) == 1, "the first list and one DELETE: %s" % asked
    evicted = scenario.journal.events("connector_evicted")
    assert len(evicted) == 1 and stray in evicted[0]["MESSAGE"]
    assert ours_alone(scenario)
    told = scenario.journal.events("locked_out")[0]["MESSAGE"]
    only_ours = r"only connectors of the units of web, [0-9.]+m?s after the rotation started"
    assert re.search(only_ours, told), told
    wait_until(lambda: stray in {event["connector"] for event in scenario.cloudflare.events(
        "registrations_refused", since)}, "the stranger to be refused")


def test_evicting_all_works_and_says_how_long_nobody_served(scenario):
    stray = attach_stray(scenario)
    before = len(scenario.cloudflare.calls())
    done = scenario.keyturn.ctl("rotate", "web", "--compromised", "--evict-all", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    asked = calls_after_patch(scenario, before)
    assert ("DELETE", "connections") in asked
    restarting = scenario.journal.events("unit_restarting")
    assert len(restarting) == len(scenario.units.names)
    told = scenario.journal.events("locked_out")[0]["MESSAGE"]
    assert re.search(r"none of them was connected for [0-9.]+m?s", told), told
    assert ours_alone(scenario) and stray not in scenario.cloudflare.connectors()


@pytest.fixture(name="blind")
def keyturnd_that_cannot_ask_its_units(scenario):
    """No connector can be told from any other: the kernel does not say whose a socket is."""
    with_rollout(scenario, healthy_deadline="5s")
    scenario.units.drop_in("blind", BLIND, unit="keyturnd.service")
    scenario.keyturn.restart()
    yield
    scenario.units.drop_in("blind", "", unit="keyturnd.service")
    scenario.keyturn.restart()


def test_a_stranger_is_out_in_time_although_no_unit_can_be_asked(scenario, blind):
    stray = attach_stray(scenario)
    scenario.keyturn.ctl("rotate", "web", "--compromised", check=True)
    wait_until(lambda: scenario.journal.events("secret_committed"), "a new secret", seconds=60)
    started = time.monotonic()
    wait_until(lambda: stray not in scenario.cloudflare.connectors(), "the stranger to be out",
               seconds=LOCKOUT_MAX)
    assert time.monotonic() - started >= 20, "what may be ours is not dropped at once"
    # Whoever was dropped with the stranger is restarted, and comes back with the new token.
    scenario.units.wait_full(count=2)
    now = scenario.cloudflare.fingerprint()
    wait_until(lambda: all(item["fingerprints"] == [now]
                           for item in scenario.cloudflare.connectors().values()),
               "nobody on another token")
    wait_until(lambda: scenario.keyturn.status()["state"] == "idle", "the end", seconds=300)
    assert scenario.journal.events("locked_out")
    assert stray not in scenario.cloudflare.connectors()


def test_it_puts_an_end_to_a_rotation_that_is_held_or_paused(scenario):
    scenario.keyturn.write_policy(rollout={"soak": "1min"})
    scenario.keyturn.restart()
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.keyturn.ctl("pause", "web", check=True)
    first = scenario.cloudflare.fingerprint()
    done = scenario.keyturn.ctl("rotate", "web", "--compromised", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert scenario.cloudflare.fingerprint() != first
    assert len(scenario.journal.events("rotation_started")) == 2
    assert ours_alone(scenario)
    assert not scenario.keyturn.kept_secrets()
    scenario.keyturn.ctl("resume", "web", check=True)


def test_the_leaked_token_is_kept_nowhere(scenario):
    leaked = scenario.keyturn.token()
    scenario.keyturn.ctl("rotate", "web", "--compromised", "--follow", check=True)
    found = scenario.host.run("grep", "-rlF", "--file=-", "/var/lib/keyturn", check=False,
                              feed=leaked).stdout
    assert found == ""
    wait_until(lambda: scenario.keyturn.status()["state"] == "idle", "rest")
