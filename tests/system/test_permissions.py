"""Whether polkit lets keyturnd do its work: asked before anything is touched, waited for in the
middle.
"""

import re

import pytest

from fault_checks import (FIRST, SECOND, WINDOW, check_done, check_held, rotate_into_the_soak,
                          with_rollout)
from scenario import wait_until
from scenario.keyturn import SURGE

ODD = "edge-tunnel.service"
POLKIT = "polkit.service"
OWN_RULE = "/etc/polkit-1/rules.d/49-keyturn.rules"
TEST_RULE = "/etc/polkit-1/rules.d/10-test.rules"
ACTIVATION = "/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"
EXIT_REFUSED = 4
# Like the template, under a name that the installed rule does not know.
ADD_UNIT = """
set -eu
cd /etc/systemd/system
cp cloudflared-web@.service "$1"
cp -r cloudflared-web@.service.d "$1.d"
systemctl daemon-reload
systemctl start "$1"
"""
REMOVE_UNIT = """
systemctl stop "$1"
cd /etc/systemd/system && rm -r "$1" "$1.d"
systemctl daemon-reload
"""
PROBES = {"try-restart": ("TryRestartUnit", "triggering"), "restart": ("RestartUnit", "triggering"),
          "stop": ("StopUnit", "isolate")}


def script(scenario, text, *words):
    scenario.host.run("sh", "-c", text, "script", *words)


def write_rule(scenario, path, text):
    scenario.host.run("sh", "-c", 'cat >"$1" && systemctl restart polkit', "rule", path, feed=text)


def deny(scenario, condition):
    """From now on polkit says no to keyturnd where this holds of `unit` and `verb`."""
    write_rule(scenario, TEST_RULE, """
polkit.addRule(function (action, subject) {
    var unit = action.lookup("unit"), verb = action.lookup("verb");
    if (subject.user == "keyturn" && (%s)) return polkit.Result.NO;
});
""" % condition)


@pytest.fixture(autouse=True)
def polkit_is_mended(scenario):
    yield
    scenario.host.run("sh", "-c", "rm -f %s %s; [ ! -e /run/kept ] || mv /run/kept %s; "
                      "systemctl unmask --runtime %s; systemctl kill --signal=CONT %s; "
                      "systemctl reload dbus; systemctl restart %s" %
                      (OWN_RULE, TEST_RULE, ACTIVATION, POLKIT, POLKIT, POLKIT))


@pytest.fixture(name="odd")
def unit_of_another_name(scenario):
    script(scenario, ADD_UNIT, ODD)
    try:
        scenario.units.wait_full(count=3)
        scenario.keyturn.write_policy(units=[FIRST, SECOND, ODD])
        with scenario.looks():
            scenario.keyturn.restart()
        scenario.journal.mark()
        yield ODD
    finally:
        script(scenario, REMOVE_UNIT, ODD)


def untouched(scenario, units):
    """Return what a question must leave as it is."""
    shown = [scenario.units.show(unit, "InvocationID", "NRestarts", "ActiveState", "Job")
             for unit in units]
    return shown, scenario.cloudflare.fingerprint(), len(scenario.cloudflare.calls("PATCH"))


def refused(scenario):
    """Ask for a rotation, which is refused, and return what is said."""
    followed = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert followed.returncode == EXIT_REFUSED, followed.stdout + followed.stderr
    return scenario.journal.wait_for("rotation_refused")["MESSAGE"]


def probe(scenario, verb, unit, user="keyturn"):
    method, mode = PROBES[verb]
    return scenario.host.run("busctl", "call", "org.freedesktop.systemd1",
                             "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                             method, "ss", unit, mode, user=user, check=False).stderr


@pytest.mark.parametrize("verb", PROBES)
def test_systemd_refuses_the_question_only_after_polkit_has_agreed(scenario, verb):
    """And nothing is done to the unit. What keyturnd asks stands or falls with this."""
    unit = SURGE if verb == "stop" else FIRST
    scenario.keyturn.install_surge()
    try:
        scenario.host.run("systemctl", "start", unit)
        before = untouched(scenario, [unit])
        assert "only valid for" in probe(scenario, verb, unit)
        deny(scenario, 'verb == "%s"' % verb)
        assert "denied" in probe(scenario, verb, unit)
        assert "authentication required" in probe(scenario, verb, unit, user="nobody")
        assert untouched(scenario, [unit]) == before
    finally:
        scenario.keyturn.remove_surge()


def test_unit_outside_the_rule_is_refused_before_anything_is_touched(scenario, traffic, odd):
    before = untouched(scenario, [FIRST, SECOND, odd])
    said = refused(scenario)
    assert odd + ": polkit does not allow user keyturn to restart it" in said
    assert FIRST not in said and OWN_RULE in said
    assert untouched(scenario, [FIRST, SECOND, odd]) == before
    rule = re.search(r"polkit\.addRule\(.*?\}\);", said).group()
    assert '["%s"]' % odd in rule
    write_rule(scenario, OWN_RULE, rule + "\n")  # As it stands there.
    scenario.journal.mark()
    assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == 0
    check_done(scenario)
    assert scenario.journal.events("unit_verified", target_unit=odd)
    # No more than that.
    for unit, verb in (("edge-tunnel-2.service", "restart"), (odd, "stop")):
        assert "denied" in probe(scenario, verb, unit), (unit, verb)


def test_every_unit_that_is_refused_is_named_and_one_rule_for_all(scenario):
    deny(scenario, 'verb == "try-restart"')
    said = refused(scenario)
    for unit in (FIRST, SECOND):
        assert unit + ": polkit does not allow user keyturn to restart it" in said
    assert said.count("polkit.addRule") == 1 and '["%s", "%s"]' % (FIRST, SECOND) in said
    assert "nothing was changed" in said


@pytest.mark.parametrize("verb", ["restart", "stop"])
def test_extra_unit_is_asked_about_too(scenario, verb):
    scenario.keyturn.install_surge()
    try:
        deny(scenario, 'unit == "%s" && verb == "%s"' % (SURGE, verb))
        said = refused(scenario)
        assert SURGE + ": polkit does not allow user keyturn to start and stop it" in said
        rule = re.search(r"polkit\.addRule\(.*\}\);", said).group()
        assert '"%s"' % SURGE in rule and '"stop"' in rule and FIRST not in rule
    finally:
        scenario.keyturn.remove_surge()


def test_unit_that_refuses_to_be_stopped_by_hand(scenario):
    scenario.units.drop_in("zz-hand", "[Unit]\nRefuseManualStop=yes\n", unit=SECOND)
    said = refused(scenario)
    assert SECOND + ": it refuses to be started or stopped by hand" in said
    assert "RefuseManualStop=" in said and "polkit" not in said
    scenario.units.drop_in("zz-hand", "", unit=SECOND)


def test_count_of_starts_that_may_not_be_reset_is_a_warning(scenario, traffic):
    deny(scenario, 'verb == "reset-failed" && unit == "%s"' % SECOND)
    scenario.keyturn.rotate()
    check_done(scenario)
    told = scenario.journal.events("start_limit_kept")
    assert [event["TARGET_UNIT"] for event in told] == [SECOND]
    assert "reset-failed" in told[0]["MESSAGE"] and OWN_RULE in told[0]["MESSAGE"]


@pytest.mark.parametrize("way", ["masked", "not there"])
def test_polkit_that_cannot_be_asked_is_told_and_nothing_is_touched(scenario, way):
    before = untouched(scenario, [FIRST, SECOND])
    take_away(scenario, way)
    said = refused(scenario)
    assert "cannot ask polkit" in said and "addRule" not in said, said
    assert untouched(scenario, [FIRST, SECOND]) == before
    assert not scenario.journal.events("rotation_held")
    give_back(scenario, way)
    scenario.journal.mark()
    scenario.keyturn.rotate()
    check_done(scenario)


def take_away(scenario, way):
    if way == "masked":
        scenario.host.run("systemctl", "mask", "--runtime", "--now", POLKIT)
    else:
        scenario.host.run("sh", "-c", "mv %s /run/kept && systemctl reload dbus && "
                          "systemctl stop %s" % (ACTIVATION, POLKIT))


def give_back(scenario, way):
    if way == "masked":
        scenario.host.run("systemctl", "unmask", "--runtime", POLKIT)
    else:
        scenario.host.run("sh", "-c", "mv /run/kept %s && systemctl reload dbus" % ACTIVATION)


@pytest.mark.parametrize("way", ["masked", "not there"])
def test_polkit_that_goes_in_the_middle_is_waited_for(scenario, traffic, way):
    rotate_into_the_soak(scenario)
    take_away(scenario, way)
    waiting = scenario.journal.wait_for("rotation_waiting")
    assert "cannot ask polkit about " + SECOND in waiting["MESSAGE"]
    scenario.keyturn.wait_status(state="waiting")
    give_back(scenario, way)
    check_done(scenario)
    assert not scenario.journal.events("rotation_held")
    assert len(scenario.journal.events("rotation_waiting")) == 1


@pytest.mark.parametrize("moment", ["rotation_asked_for", "soak_started"])
def test_polkit_that_is_slow_is_waited_for(scenario, traffic, moment):
    with_rollout(scenario, soak=WINDOW)
    if moment == "soak_started":
        scenario.keyturn.rotate()
        scenario.journal.wait_for(moment)
    scenario.host.run("systemctl", "kill", "--signal=STOP", POLKIT)
    if moment != "soak_started":
        scenario.keyturn.rotate()
        scenario.keyturn.wait_status(phase="preflight")
    else:
        scenario.journal.wait_for("unit_restarting", target_unit=SECOND)
    scenario.host.run("systemctl", "kill", "--signal=CONT", POLKIT)
    check_done(scenario)
    assert not scenario.journal.events("rotation_held")


def test_rule_that_goes_in_the_middle_holds(scenario, traffic):
    rotate_into_the_soak(scenario)
    deny(scenario, 'unit == "%s"' % SECOND)
    check_held(scenario, "not_allowed", SECOND)
    assert OWN_RULE in scenario.keyturn.status()["reason"]
    scenario.host.run("sh", "-c", "rm %s && systemctl restart polkit" % TEST_RULE)
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0
    check_done(scenario)


def test_a_refusal_does_not_stop_a_lockout(scenario, traffic):
    before = scenario.cloudflare.fingerprint()
    deny(scenario, 'verb == "try-restart"')
    scenario.keyturn.rotate("--compromised")
    scenario.journal.wait_for("token_delivered")
    wait_until(lambda: scenario.cloudflare.fingerprint() != before, "the new secret")
    check_held(scenario, "not_allowed", FIRST)
    scenario.host.run("sh", "-c", "rm %s && systemctl restart polkit" % TEST_RULE)
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0
    check_done(scenario)
    assert scenario.journal.events("locked_out")
