"""Several tunnels in one daemon: rotations interleave, a held one is in nobody's way, and all
share one budget of calls.
"""

import functools

import pytest

from fault_checks import UNREACHABLE_EDGE
from scenario import event_name, wait_until

NAMES = ("web", "shop", "mail")
BROKEN = "cloudflared-mail@1.service"
QUIET_SECONDS = 6
QUOTA = 20
WINDOW_SECONDS = 10.0
# Calls that nobody had counted yet when Cloudflare said how many are left.
UNDER_WAY = 2


@pytest.fixture(scope="module", name="three_tunnels_host")
def host_with_three_tunnels(boot_quick):
    return boot_quick(others=NAMES[1:])


@pytest.fixture(name="scenario")
def fresh_scenario(three_tunnels_host):
    three_tunnels_host.reset()
    return three_tunnels_host


def check_batches(events):
    """No unit goes down, and no batch begins, before every unit that went down is verified."""
    down = set()
    for entry in events:
        if event_name(entry) in ("batch_started", "unit_restarting"):
            assert not down, "%s while %s is down" % (entry["MESSAGE"], down)
        if event_name(entry) == "unit_restarting":
            down.add(entry["TARGET_UNIT"])
        if event_name(entry) == "unit_verified":
            down.remove(entry["TARGET_UNIT"])


def check_interleaved(events):
    """Both rotations were under way at the same time, and neither waited for a batch to end."""
    order = [entry["TUNNEL_NAME"] for entry in events]
    turns = sum(before != after for before, after in zip(order, order[1:]))
    assert turns >= 6, order


def of_tunnel(events, name):
    return [entry for entry in events if entry.get("TUNNEL_NAME") == name]


def calls_since(scenario, number):
    return [call for call in scenario.cloudflare.calls() if call["n"] > number]


def looked_at(scenario, name, number):
    path = scenario.cloudflare_of(name).tunnel + "/connections"
    return any(path in call["path"] for call in calls_since(scenario, number))


def last_call(scenario):
    return scenario.cloudflare.calls()[-1]["n"]


def test_rotations_interleave_and_a_held_one_is_in_nobodys_way(scenario):
    scenario.others["mail"].units.drop_in("broken", UNREACHABLE_EDGE, unit=BROKEN)
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    for name in ("mail", "web", "shop"):
        scenario.keyturn.rotate(of=name)
    for name in ("web", "shop"):
        scenario.keyturn.wait_done(of=name)
    alarm = scenario.journal.wait_for("rotation_held")
    assert alarm["TUNNEL_NAME"] == "mail" and alarm["TARGET_UNIT"] == BROKEN
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    events = scenario.journal.events()
    check_interleaved([entry for entry in events if entry.get("TUNNEL_NAME") in ("web", "shop")])
    for name in NAMES:
        assert scenario.delivered(of=name)
        check_batches(of_tunnel(events, name))
    assert scenario.keyturn.status(of="mail")["state"] == "held"
    assert scenario.others["shop"].units.healthy() and scenario.units.healthy()


def test_a_held_tunnel_stays_held_and_goes_on_while_others_rotate(scenario):
    mail = scenario.others["mail"].units
    mail.drop_in("broken", UNREACHABLE_EDGE, unit=BROKEN)
    scenario.keyturn.rotate(of="mail")
    scenario.keyturn.wait_status(of="mail", state="held")
    other = mail.names[1]
    before = mail.invocations()[other]
    scenario.keyturn.rotate(of="web")
    scenario.keyturn.wait_done(of="web")
    assert scenario.keyturn.status(of="mail")["state"] == "held"
    assert mail.invocations()[other] == before
    mail.drop_in("broken", "", unit=BROKEN)
    scenario.host.run("systemctl", "restart", BROKEN)
    mail.wait_ready(BROKEN)
    scenario.keyturn.rotate(of="shop")
    scenario.keyturn.ctl("retry", "mail", check=True)
    for name in ("shop", "mail"):
        scenario.keyturn.wait_done(of=name)
        check_batches(of_tunnel(scenario.journal.events(), name))
    assert mail.healthy()


def test_all_are_quiet_when_cloudflare_asks_one_to_be(scenario):
    scenario.cloudflare.fault(
        "status", status=429, times=1, headers={"retry-after": str(QUIET_SECONDS)},
        path="*%s*" % scenario.others["shop"].cloudflare.tunnel)
    before = last_call(scenario)
    scenario.keyturn.rotate(of="shop")
    wait_until(lambda: calls_since(scenario, before), "the call that is answered with 429")
    scenario.keyturn.rotate(of="web")
    for name in ("shop", "web"):
        scenario.keyturn.wait_done(of=name)
    throttled, *later = calls_since(scenario, before)
    assert throttled["status"] == 429 and all(call["status"] == 200 for call in later)
    assert later[0]["at"] - throttled["at"] >= QUIET_SECONDS
    for name in ("shop", "web"):
        assert not scenario.journal.events("rotation_refused", tunnel_name=name)


def test_half_of_what_cloudflare_allows_is_never_exceeded(scenario):
    scenario.keyturn.stop()
    scenario.keyturn.write_policy(drift={"interval": "500ms"})
    before = last_call(scenario)
    scenario.cloudflare.control("DELETE", "/limits")
    scenario.cloudflare.knobs(rate_quota=QUOTA, rate_window_seconds=WINDOW_SECONDS)
    scenario.keyturn.start()
    wait_until(lambda: len(calls_since(scenario, before)) >= QUOTA / 2 - 4, "looks for drift", 30)
    for name in ("web", "shop"):
        scenario.keyturn.rotate(of=name)
    for name in ("web", "shop"):
        scenario.keyturn.wait_done(180, of=name)
        assert scenario.delivered(of=name)
    calls = calls_since(scenario, before)
    assert all(call["status"] == 200 for call in calls), calls
    left = [call["left"] for call in calls]
    assert min(left) >= QUOTA / 2 - UNDER_WAY, left
    windows = 1 + sum(later > earlier for earlier, later in zip(left, left[1:]))
    assert windows >= 3, left
    now = last_call(scenario)
    for name in NAMES:
        wait_until(functools.partial(looked_at, scenario, name, now), "a look at " + name, 60)
