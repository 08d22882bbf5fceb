"""What systemd, polkit, other people and the units themselves do in the middle of a rotation, and
what makes one unit out of two names.
"""

import hashlib
import re

import pytest

from fault_checks import BUS, FIRST, SECOND, WINDOW, check_done, check_held, with_rollout
from scenario import wait_until
from scenario.keyturn import policy_text

EXTRA = "cloudflared-web-extra.service"
ALIAS = "tunnel.service"
THIRD = "cloudflared-web@3.service"
EXIT_REFUSED = 4
SOON = "TimeoutStartSec=2\nTimeoutStopSec=1\n"
# What a unit does from its next start on: as root, when everything else is as it was.
WAYS_TO_FAIL = {
    "exits with 1": "ExecStartPre=+/bin/false\n",
    "is ready, then exits with 0": "ExecStartPost=+/bin/kill -TERM $MAINPID\n",
    # By SIGKILL, as when memory is short: the test hosts have no memory controller.
    "is ready, then killed after a second":
        "ExecStartPost=+/usr/bin/systemd-run --quiet --collect --on-active=1 "
        "--timer-property=AccuracySec=1ms kill -KILL $MAINPID\n",
    "never has a connection, and its Type= does not wait for one":
        "Type=simple\nEnvironment=TUNNEL_EDGE=127.0.0.1:1\n",
}


def drop_in(scenario, text, unit=FIRST, section="Service"):
    # Read after the drop-in of the sandbox, which has timeouts of its own.
    scenario.units.drop_in("zz-fault", "[%s]\n%s" % (section, text) if text else "", unit=unit)


def starts(scenario, unit):
    """Return how often systemd has started a unit since the mark."""
    entries = scenario.journal.read("_PID=1", "UNIT=" + unit)
    return sum(entry["MESSAGE"].startswith("Started ") for entry in entries)


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_unit_that_fails_holds_and_the_other_serves(scenario, way):
    with_rollout(scenario, healthy_deadline="3s", min_healthy_time="1500ms")
    drop_in(scenario, SOON + WAYS_TO_FAIL[way])
    before = scenario.units.invocations()[SECOND]
    scenario.keyturn.rotate()
    check_held(scenario, "verification_failed", FIRST)
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    assert scenario.units.invocations()[SECOND] == before
    assert scenario.units.ready(SECOND) == 4
    drop_in(scenario, "")
    scenario.host.run("systemctl", "kill", "--signal=KILL", FIRST, check=False)


def test_unit_that_stands_still_is_waited_for(scenario, traffic):
    """A process that stands still says nothing about itself: no failure follows from that."""
    with_rollout(scenario, healthy_deadline="3s", min_healthy_time="1500ms")
    drop_in(scenario, SOON + "ExecStartPost=+/bin/kill -STOP $MAINPID\n")
    before = scenario.units.invocations()[SECOND]
    scenario.keyturn.rotate()
    waiting = scenario.journal.wait_for("rotation_waiting", 60)
    assert "cannot ask /ready" in waiting["MESSAGE"] and FIRST in waiting["MESSAGE"]
    assert scenario.keyturn.wait_status(state="waiting")["batch"] == 1
    assert scenario.units.invocations()[SECOND] == before
    assert scenario.units.ready(SECOND) == 4
    drop_in(scenario, "")
    scenario.host.run("systemctl", "kill", "--signal=CONT", FIRST)
    check_done(scenario)
    assert not scenario.journal.events("rotation_held")
    assert starts(scenario, FIRST) == 1, "it is proven as it is"


@pytest.fixture(name="bus")
def bus_that_is_mended(scenario):
    yield BUS
    scenario.host.run("systemctl", "unmask", "--runtime", *BUS)
    scenario.host.run("systemctl", "start", *BUS)


def test_bus_down_when_keyturnd_starts_in_the_middle(scenario, traffic, bus):
    with_rollout(scenario, soak=WINDOW)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.keyturn.stop()
    # Only masked it stays down: keyturnd.service wants it.
    scenario.host.run("systemctl", "mask", "--runtime", "--now", *bus)
    scenario.keyturn.start()
    waiting = scenario.journal.wait_for("rotation_waiting")
    assert "systemd does not answer" in waiting["MESSAGE"]
    scenario.host.run("systemctl", "unmask", "--runtime", *bus)
    scenario.host.run("systemctl", "start", *bus)
    scenario.journal.wait_for("rotation_done", 60)
    check_done(scenario)
    assert len(scenario.journal.events("unit_restarting")) == 2


@pytest.fixture(name="polkit")
def polkit_that_is_mended(scenario):
    yield "polkit.service"
    scenario.host.run("systemctl", "unmask", "--runtime", "polkit.service")
    scenario.host.run("systemctl", "restart", "polkit.service")


def test_polkit_killed(scenario, traffic, polkit):
    with_rollout(scenario, settle=WINDOW)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("token_delivered")
    scenario.host.run("systemctl", "kill", "--signal=KILL", polkit)
    check_done(scenario)
    assert "rotation_held" not in scenario.journal.story()


def test_unit_masked_in_the_middle(scenario, traffic):
    with_rollout(scenario, soak=WINDOW, healthy_deadline="2s")
    drop_in(scenario, SOON, unit=SECOND)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.host.run("systemctl", "mask", "--runtime", SECOND)
    try:
        check_held(scenario, "verification_failed", SECOND)
        assert starts(scenario, SECOND) == 0
        assert "systemctl unmask" in scenario.keyturn.status()["reason"]
        assert scenario.units.ready(SECOND) == 4
    finally:
        scenario.host.run("systemctl", "unmask", "--runtime", SECOND)


def test_operator_who_stops_the_unit_while_it_restarts_takes_over(scenario, traffic):
    drop_in(scenario, "ExecStartPre=+/bin/sh -c 'while [ -e /run/slow ]; do sleep 0.05; done'\n")
    scenario.host.run("touch", "/run/slow")
    scenario.keyturn.rotate()
    scenario.journal.wait_for("unit_restarting")
    wait_until(lambda: scenario.units.show(FIRST, "SubState")["SubState"] == "start-pre",
               "the start of " + FIRST)
    scenario.host.run("systemctl", "stop", FIRST)
    scenario.host.run("rm", "/run/slow")
    check_held(scenario, "operator_took_over", FIRST)
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    assert starts(scenario, FIRST) == 0


def test_operators_stop_that_is_under_way_is_not_overruled(scenario, traffic):
    drop_in(scenario, "TimeoutStopSec=30\n"
            "ExecStop=+/bin/sh -c 'while [ -e /run/slow ]; do sleep 0.05; done'\n")
    scenario.host.run("touch", "/run/slow")
    patch = scenario.cloudflare.fault("pass", method="PATCH", delay=1.0, times=1)
    scenario.keyturn.rotate()
    scenario.cloudflare.wait_fault(patch)
    scenario.host.run("systemctl", "stop", "--no-block", FIRST)
    waiting = scenario.journal.wait_for("rotation_waiting")
    assert "is being stopped" in waiting["MESSAGE"]
    scenario.host.run("rm", "/run/slow")
    check_held(scenario, "operator_took_over", FIRST)
    assert starts(scenario, FIRST) == 0, "it stays stopped"


def test_waiting_unit_that_crashes_comes_back_with_the_new_token(scenario):
    with_rollout(scenario, soak=WINDOW)
    old = scenario.units.connector(SECOND)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.host.run("systemctl", "kill", "--signal=KILL", SECOND)
    wait_until(lambda: scenario.units.show(SECOND, "SubState")["SubState"] == "running" and
               scenario.units.connector(SECOND) != old, "systemd to start it again")
    assert not scenario.journal.events("unit_restarting", target_unit=SECOND)
    scenario.units.wait_full()
    connector = scenario.cloudflare.connectors()[scenario.units.connector(SECOND)]
    assert connector["fingerprints"] == [scenario.cloudflare.fingerprint()]
    check_done(scenario)


def test_restarted_unit_that_somebody_restarts_is_proven_again(scenario, traffic):
    """As cloudflared-update.timer does."""
    with_rollout(scenario, soak=WINDOW)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.host.run("systemctl", "restart", FIRST)
    again = scenario.journal.wait_for("soak_restarted", target_unit=FIRST)
    assert "Somebody else restarted" in again["MESSAGE"]
    check_done(scenario)
    assert len(scenario.journal.events("unit_restarting", target_unit=FIRST)) == 1
    verified = [event["TARGET_UNIT"] for event in scenario.journal.events("unit_verified")]
    assert verified == [FIRST, FIRST, SECOND]


def test_unit_that_is_added_in_the_middle_has_the_new_token_and_no_part(scenario, traffic):
    with_rollout(scenario, soak=WINDOW)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    try:
        scenario.host.run("systemctl", "start", THIRD)
        scenario.units.wait_full(count=3)
        check_done(scenario)
        units = {event["TARGET_UNIT"] for event in scenario.journal.events("unit_restarting")}
        assert units == {FIRST, SECOND}
        assert starts(scenario, THIRD) == 1
    finally:
        scenario.host.run("systemctl", "stop", THIRD)


def test_unit_that_is_removed_in_the_middle_is_passed_over_after_a_retry(scenario, traffic):
    scenario.host.run("sh", "-c", "cd /etc/systemd/system && cp cloudflared-web@.service %s && "
                      "cp -r cloudflared-web@.service.d %s.d && systemctl daemon-reload && "
                      "systemctl start %s" % (EXTRA, EXTRA, EXTRA))
    try:
        scenario.units.wait_full(count=3)
        scenario.keyturn.write_policy(rollout={"soak": WINDOW}, units=[FIRST, SECOND, EXTRA])
        with scenario.looks():
            scenario.keyturn.restart()
        scenario.journal.mark()
        scenario.keyturn.rotate()
        scenario.journal.wait_for("soak_started")
    finally:
        scenario.host.run("sh", "-c", "systemctl stop %s; cd /etc/systemd/system && "
                          "rm -r %s %s.d && systemctl daemon-reload" % (EXTRA, EXTRA, EXTRA))
    check_held(scenario, "operator_took_over", EXTRA)
    assert len(scenario.journal.events("unit_verified")) == 2
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0
    assert scenario.journal.events("unit_left_stopped", target_unit=EXTRA)
    check_done(scenario)


@pytest.mark.parametrize("timeout", ["10", "1"], ids=["within its timeout", "killed at the end"])
def test_stop_that_takes_long_is_no_failure(scenario, timeout):
    with_rollout(scenario, healthy_deadline="1s")
    drop_in(scenario, "TimeoutStopSec=%s\nExecStop=+/bin/sleep 2\n" % timeout)
    scenario.keyturn.rotate()
    check_done(scenario)
    assert "rotation_held" not in scenario.journal.story()
    stopped = scenario.journal.read("_PID=1", "UNIT=" + FIRST)
    timed_out = any("timed out" in entry["MESSAGE"] for entry in stopped)
    assert timed_out == (timeout == "1")


ADD_EXTRA = """
set -eu
cd /etc/systemd/system
cp cloudflared-web@.service "$1"
cp -r cloudflared-web@.service.d "$1.d"
ln -s "$1" "$2"
systemctl daemon-reload
systemctl start "$1"
"""
REMOVE_EXTRA = """
systemctl stop "$1"
cd /etc/systemd/system && rm -r "$1" "$1.d" "$2"
systemctl daemon-reload
"""


@pytest.fixture(name="aliased")
def unit_with_an_alias(scenario):
    """As `ln -s cloudflared.service tunnel.service` makes it; the others are stopped."""
    scenario.host.run("systemctl", "stop", FIRST, SECOND)
    scenario.host.run("sh", "-c", ADD_EXTRA, "add", EXTRA, ALIAS)
    try:
        scenario.units.wait_full(count=1)
        yield EXTRA
    finally:
        scenario.host.run("sh", "-c", REMOVE_EXTRA, "remove", EXTRA, ALIAS)


def with_units(scenario, *units, **rollout):
    scenario.keyturn.write_policy(units=list(units), rollout=rollout)
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.journal.mark()


def refusal(scenario):
    followed = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert followed.returncode == EXIT_REFUSED, followed.stdout + followed.stderr
    return scenario.journal.wait_for("rotation_refused")["MESSAGE"]


def test_one_replica_under_two_names_is_not_two_replicas(scenario, aliased, traffic):
    with_units(scenario, ALIAS, aliased)
    before = scenario.units.show(aliased, "InvocationID")
    said = refusal(scenario)
    twice = ": `units:` names this unit more than once, as %s and as %s" % (ALIAS, aliased)
    assert aliased + twice in said
    assert scenario.units.show(aliased, "InvocationID") == before
    assert not scenario.journal.events("unit_restarting")
    with_units(scenario, ALIAS)
    assert "only one unit is serving" in refusal(scenario)


def test_unit_that_is_named_by_its_alias_is_called_by_its_id(scenario, aliased, traffic):
    scenario.host.run("systemctl", "start", FIRST)
    scenario.units.wait_full(count=2)
    with_units(scenario, ALIAS, FIRST)
    scenario.keyturn.rotate()
    check_done(scenario)
    restarted = [event["TARGET_UNIT"] for event in scenario.journal.events("unit_restarting")]
    assert restarted == [aliased, FIRST]


def test_record_that_knows_a_unit_by_its_alias_is_carried_on(scenario, aliased, traffic):
    """As a keyturnd from before has written it."""
    scenario.host.run("systemctl", "start", FIRST)
    scenario.units.wait_full(count=2)
    with_units(scenario, FIRST, ALIAS, soak=WINDOW)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.keyturn.stop()
    path = "/var/lib/keyturn/state/web.json"
    text = scenario.host.output("cat", path)
    schema, state = re.fullmatch(
        r'{"schema":(\d+),"sha256":"[0-9a-f]{64}","state":(.*)}', text.strip()).groups()
    assert aliased in state
    state = state.replace(aliased, ALIAS)
    digest = hashlib.sha256((schema + "\n" + state).encode()).hexdigest()
    scenario.host.run("sh", "-c", "cat >" + path, feed='{"schema":%s,"sha256":"%s","state":%s}\n'
                      % (schema, digest, state))
    scenario.keyturn.start()
    check_done(scenario)
    assert scenario.journal.events("unit_verified", target_unit=ALIAS)
    assert starts(scenario, aliased) == 1
    assert "rotation_held" not in scenario.journal.story()


def test_unit_that_two_tunnels_mean_is_refused_by_both(scenario, aliased):
    scenario.host.run("systemctl", "start", FIRST)
    scenario.units.wait_full(count=2)
    one = policy_text(scenario.cloudflare.tunnel, units=[aliased, FIRST])
    other = policy_text("11111111-2222-4333-8444-555555555555", units=[ALIAS])
    scenario.keyturn.write_policy_text(
        one + other[other.index("  web:"):].replace("  web:", "  shop:"))
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.journal.mark()
    said = refusal(scenario)
    assert aliased + ": tunnel shop also claims this unit, by %s: remove it" % ALIAS in said
    assert not scenario.journal.events("unit_restarting")
    scenario.keyturn.write_policy()
    scenario.keyturn.restart()


# How a unit hangs on another: does a restart of that one, or its end where the start fails, restart
# or stop it?
DEPENDENTS = {
    "requires": ("Requires=%s", True),
    "requisite": ("Requisite=%s", True),
    "binds": ("BindsTo=%s\nAfter=%s", True),
    "part": ("PartOf=%s", True),
    "stop-from": ("StopPropagatedFrom=%s", True),
    "wants": ("Wants=%s\nAfter=%s", False),
    "upholds": ("Upholds=%s", False),
    "reload-from": ("ReloadPropagatedFrom=%s", False),
    "of-target": ("PartOf=hang.target", True),
}


def test_what_a_restart_drags_along_is_all_that_systemd_does(scenario):
    names = {kind: "hang-%s.service" % kind for kind in DEPENDENTS}
    scenario.host.run("sh", "-c", "printf '[Unit]\nRequires=%s\n' "
                      ">/run/systemd/system/hang.target" % FIRST)
    for kind, (lines, _) in DEPENDENTS.items():
        text = "[Unit]\n%s\n[Service]\nExecStart=/bin/sleep infinity\n" % lines
        scenario.host.run("sh", "-c", 'cat >"/run/systemd/system/$1"', "write", names[kind],
                          feed=text.replace("%s", FIRST))
    try:
        scenario.host.run("systemctl", "daemon-reload")
        scenario.host.run("systemctl", "start", "hang.target", *names.values())
        said = refusal(scenario)
        told = set(re.search(r"would also restart or stop (.*?);", said).group(1).split(", "))

        def invocations():
            return {kind: scenario.units.show(name, "InvocationID", "ActiveState")
                    for kind, name in names.items()}
        dragged = set()
        for verb in ("restart", "stop"):
            before = invocations()
            scenario.host.run("systemctl", verb, FIRST)
            after = invocations()
            dragged |= {names[kind] for kind in names if after[kind] != before[kind]}
        assert told == dragged == {names[kind] for kind in names if DEPENDENTS[kind][1]}
    finally:
        scenario.host.run("sh", "-c", "systemctl stop hang.target 'hang-*'; "
                          "rm /run/systemd/system/hang*; systemctl daemon-reload")
