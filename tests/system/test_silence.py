"""What keyturnd says and does while nothing is rotated: silence is a fault."""

import contextlib

import pytest
from scenario.keyturn import STATE
from scenario.waiting import wait_until
from strays import attach_stray, remove_stray

ALERT, WARNING, NOTICE = "1", "4", "5"
EXIT_OK, EXIT_FINDINGS = 0, 6
QUICK = {"interval": "500ms"}
SAVE = "rm -rf /tmp/saved && cp -a %s/state /tmp/saved" % STATE
LOSE = "find %s/state -type f -delete" % STATE
RESTORE = LOSE + " && cp -a /tmp/saved/. %s/state" % STATE
LOSE_ALL = LOSE + " && find %s/history -type f -delete" % STATE


def watch(scenario, drift=None, **policy):
    """Let keyturnd look for drift all the time, or as `drift` says."""
    scenario.keyturn.write_policy(drift=QUICK if drift is None else drift, **policy)
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.keyturn.wait_status(state="idle")
    scenario.journal.mark()


def shell(scenario, script):
    """Run a script in the host."""
    scenario.host.run("sh", "-c", script)


def recorded(scenario, text):
    """Wait until this is in keyturnd's durable state."""
    wait_until(lambda: text in scenario.host.output("cat", STATE + "/state/web.json"),
               "%s in the state of web" % text)


def on_the_token(scenario):
    """Return whether every connector runs on the token that Cloudflare holds."""
    state = scenario.cloudflare.tunnel_state()
    return all(item["fingerprints"] == [state["fingerprint"]] for item in state["connectors"])


def looked_again(scenario):
    """Wait until keyturnd has asked Cloudflare in a few looks more."""
    before = len(scenario.cloudflare.calls())
    wait_until(lambda: len(scenario.cloudflare.calls()) > before + 6, "more looks at Cloudflare")


def status_code(scenario):
    """Return the exit code of `keyturnctl status`."""
    return scenario.keyturn.ctl("status", "web").returncode


def wait_finding(scenario, text):
    """Wait until status, systemd's status line and the exit code show a finding with this text."""
    wait_until(lambda: any(text in finding for finding in scenario.keyturn.status()["findings"]),
               lambda: "a finding %r; there are %s" % (
                   text, scenario.keyturn.status()["findings"]))
    assert status_code(scenario) == EXIT_FINDINGS
    line = scenario.host.output("systemctl", "show", "keyturnd", "--property=StatusText")
    assert "finding" in line, line


def wait_no_finding(scenario):
    """Wait until nothing is found any more."""
    wait_until(lambda: status_code(scenario) == EXIT_OK,
               lambda: "no findings; there are %s" % scenario.keyturn.status()["findings"])


@pytest.mark.parametrize("loss, rotations", [(RESTORE, 0), (LOSE, 1), (LOSE_ALL, 0)],
                         ids=["restored", "deleted", "deleted with the history"])
@pytest.mark.breaks("order")  # What is delivered already is told as delivered.
def test_a_state_that_is_lost_in_a_soak_leaves_no_unit_behind(scenario, loss, rotations):
    watch(scenario)
    for _ in range(rotations):
        scenario.keyturn.rotate()
        scenario.keyturn.wait_done()
    recorded(scenario, scenario.cloudflare.fingerprint())
    shell(scenario, SAVE)
    watch(scenario, rollout={"soak": "5min"})
    before = scenario.units.invocations()
    last = scenario.units.names[1]
    scenario.keyturn.rotate()
    scenario.keyturn.wait_status(phase="soak")
    scenario.keyturn.stop()
    assert scenario.units.invocations()[last] == before[last]
    assert not on_the_token(scenario), "the second one has not been restarted"
    shell(scenario, loss)
    scenario.keyturn.write_policy(drift=QUICK)
    scenario.journal.mark()
    scenario.keyturn.start()
    alarm = scenario.journal.wait_for("token_outdated", target_unit=last)
    assert alarm["PRIORITY"] == ALERT and "cannot get a lost connection back" in alarm["MESSAGE"]
    scenario.keyturn.wait_done(outcome="taken over")
    assert scenario.units.invocations()[last] != before[last]
    wait_until(lambda: on_the_token(scenario), "both units on the token")
    assert scenario.delivered()
    assert not scenario.keyturn.status()["findings"] and not scenario.keyturn.kept_secrets()


def test_a_fresh_installation_restarts_nothing_and_says_what_it_does_not_know(scenario):
    scenario.keyturn.forget()
    scenario.keyturn.write_policy(drift=QUICK)
    scenario.journal.mark()
    before = scenario.units.invocations()
    with scenario.looks():
        scenario.keyturn.start()
    for unit in scenario.units.names:
        told = scenario.journal.wait_for("token_unknown", target_unit=unit)
        assert told["PRIORITY"] == WARNING and "systemctl restart " + unit in told["MESSAGE"]
    scenario.keyturn.restart()
    scenario.keyturn.wait_status(state="idle")
    status = scenario.keyturn.status()
    notes = [note for note in status["notes"] if "token unknown" in note]
    assert len(notes) == len(scenario.units.names), status
    wait_no_finding(scenario)
    assert len(scenario.journal.events("token_unknown")) == len(scenario.units.names), "once each"
    assert scenario.units.invocations() == before
    scenario.units.restart()
    wait_until(lambda: not scenario.keyturn.status()["notes"], "units whose start was seen")


def test_a_unit_restarted_after_a_rotation_in_the_dashboard_serves_at_once(scenario):
    watch(scenario, drift={"interval": "1h"})
    recorded(scenario, scenario.cloudflare.fingerprint())
    unit = scenario.units.names[0]
    scenario.cloudflare.rotate_by_hand()
    scenario.host.run("systemctl", "restart", unit, check=False)
    scenario.journal.wait_for("foreign_rotation")
    scenario.keyturn.wait_done(outcome="taken over")
    scenario.units.wait_ready(unit)
    assert scenario.delivered() and on_the_token(scenario)


@contextlib.contextmanager
def wrong_api_token(scenario):
    """Let Cloudflare refuse the API token, as one that was revoked."""
    scenario.cloudflare.fault("status", status=403)
    yield "HTTP 403"
    scenario.cloudflare.heal()


@contextlib.contextmanager
def unit_with_another_source(scenario):
    """Let a unit take its token from where keyturnd does not write."""
    unit = scenario.units.names[1]
    scenario.units.drop_in("odd", "[Service]\nExecStart=\nExecStart=/usr/bin/cloudflared "
                           "--no-autoupdate tunnel run --token-file /etc/odd\n", unit)
    yield unit
    scenario.units.drop_in("odd", "", unit)


@contextlib.contextmanager
def unit_that_is_gone(scenario):
    """Stop one of two units, so that no other may be restarted."""
    unit = scenario.units.names[1]
    scenario.host.run("systemctl", "stop", unit)
    yield "only one unit is serving"
    scenario.host.run("systemctl", "start", unit)


@pytest.mark.parametrize("fault", [wrong_api_token, unit_with_another_source, unit_that_is_gone])
def test_what_would_be_refused_is_told_when_it_begins_and_when_it_ends(scenario, fault):
    watch(scenario, drift={"interval": "500ms"})
    wait_no_finding(scenario)
    scenario.journal.mark()
    with fault(scenario) as text:
        wait_finding(scenario, text)
        wait_until(lambda: begun(scenario, text), "the one word that it has begun")
        looked_again(scenario)
        assert len(begun(scenario, text)) == 1, scenario.journal.story()
        assert not ended(scenario, text)
    wait_no_finding(scenario)
    wait_until(lambda: ended(scenario, text), "the one word that it has ended")
    assert len(begun(scenario, text)) == len(ended(scenario, text)) == 1


def begun(scenario, text):
    """Return the events that say so, of one about Cloudflare or about the host."""
    events = scenario.journal.events("finding_began") + scenario.journal.events("drift_unknown")
    return [event for event in events if text in event["MESSAGE"]]


def ended(scenario, text):
    """Return the events that say that it has ended."""
    return [event for event in scenario.journal.events("finding_ended")
            if text in event["MESSAGE"]]


def test_a_unit_that_the_policy_misspells_is_a_finding_after_the_start_and_a_reload(scenario):
    right = scenario.units.names
    watch(scenario, units=[right[0], "cloudflared-wbe@2.service"])
    wait_finding(scenario, "cloudflared-wbe@2.service")
    scenario.journal.wait_for("finding_began")
    scenario.keyturn.write_policy(drift=QUICK, units=right)
    scenario.host.run("systemctl", "reload", "keyturnd")
    wait_no_finding(scenario)
    scenario.keyturn.write_policy(drift=QUICK, units=[right[0], "cloudflared-wbe@2.service"])
    scenario.host.run("systemctl", "reload", "keyturnd")
    wait_finding(scenario, "cloudflared-wbe@2.service")


def test_a_stranger_is_a_finding_until_he_is_gone(scenario):
    watch(scenario)
    try:
        attach_stray(scenario)
        wait_finding(scenario, "not one of its units")
    finally:
        remove_stray(scenario)
    wait_no_finding(scenario)
    scenario.journal.wait_for("finding_ended")
    assert len(scenario.journal.events("foreign_connector")) == 1


@pytest.mark.parametrize("harm", ["rm %s", "echo e30= >%s", ": >%s"])
def test_a_token_file_that_was_changed_is_written_again_and_nothing_restarted(scenario, harm):
    watch(scenario)
    recorded(scenario, scenario.cloudflare.fingerprint())
    before = scenario.units.invocations()
    patches = len(scenario.cloudflare.calls("PATCH"))
    shell(scenario, harm % (STATE + "/tokens/web"))
    wait_until(scenario.delivered, "the token file as it was")
    told = scenario.journal.wait_for("token_file_changed")
    assert told["FINGERPRINT"] == scenario.cloudflare.fingerprint()
    assert scenario.keyturn.status()["state"] == "idle"
    assert scenario.units.invocations() == before
    assert len(scenario.cloudflare.calls("PATCH")) == patches
    assert len(scenario.journal.events("token_file_changed")) == 1
