"""kill -9 of keyturnd in each phase: systemd starts it again, it goes on, one secret, no loss."""

import pytest

from fault_checks import FIRST, SECOND, WINDOW

RESTART_SOON = "[Service]\nRestartSec=200ms\n"


@pytest.fixture(autouse=True)
def systemd_restarts_keyturnd_soon(scenario):
    scenario.units.drop_in("soon", RESTART_SOON, unit="keyturnd.service")


def hang(scenario, seconds=20.0, **rule):
    """Let one call take longer than any host needs to kill; then nobody waits for its answer."""
    scenario.cloudflare.fault("pass", delay=seconds, times=1, **rule)


def rollout(scenario, **values):
    scenario.keyturn.write_policy(rollout=values)
    scenario.keyturn.restart()


def until_status(**wanted):
    return lambda scenario: scenario.keyturn.wait_status(**wanted)


def until_event(name, **fields):
    return lambda scenario: scenario.journal.wait_for(name, **fields)


# name: (what makes the phase long, what tells that it has been reached, the phase)
MOMENTS = {
    "preflight": (lambda s: hang(s, method="GET", path="*/token"),
                  until_status(phase="preflight"), "preflight"),
    "prepare": (lambda s: hang(s, method="GET", path="*/token", after=1),
                until_status(phase="prepare"), "prepare"),
    # It is applied although nobody waits for it, and must not be in the next test.
    "commit, PATCH under way": (lambda s: hang(s, seconds=2.0, method="PATCH"),
                                until_status(phase="commit"), "commit"),
    "commit, PATCH never answered": (
        lambda s: s.cloudflare.fault("hang", method="PATCH", times=1),
        until_status(phase="commit"), "commit"),
    "commit, token delivered": (
        # The second GET of the token is prepare's, the third reads back what was delivered.
        lambda s: hang(s, method="GET", path="*/token", after=2),
        until_event("token_delivered"), "commit"),
    "roll, settling": (lambda s: rollout(s, settle=WINDOW), until_status(phase="roll"), "roll"),
    "roll, unit restarting": (
        lambda s: s.cloudflare.knobs(registration_delay_seconds=0.7),
        until_event("unit_restarting"), "roll"),
    "roll, second unit restarting": (
        lambda s: s.cloudflare.knobs(registration_delay_seconds=0.7),
        until_event("unit_restarting", target_unit=SECOND), "roll"),
    "soak": (lambda s: rollout(s, soak=WINDOW), until_event("soak_started"), "soak"),
    "finish": (lambda s: rollout(s, min_healthy_time=WINDOW), until_status(phase="finish"),
               "finish"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_finished(scenario, moment):
    prolong, reached, phase = MOMENTS[moment]
    secrets = len(scenario.cloudflare.tunnel_state()["fingerprints"])
    prolong(scenario)
    scenario.journal.mark()
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    scenario.keyturn.rotate()
    reached(scenario)
    killed = scenario.keyturn.main_pid()
    scenario.keyturn.kill()
    resumed = scenario.journal.wait_for("rotation_resumed", 30)
    assert scenario.keyturn.main_pid() not in (0, killed)
    assert resumed["PHASE"] == phase
    scenario.journal.wait_for("rotation_done", 60)
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    state = scenario.cloudflare.tunnel_state()
    assert len(state["fingerprints"]) == secrets + 1, "one rotation makes one secret"
    assert [item["fingerprints"] for item in state["connectors"]] == [[state["fingerprint"]]] * 2
    assert scenario.delivered()
    assert scenario.keyturn.kept_secrets() == ""
    assert "rotation_held" not in scenario.journal.story()


def test_power_cut_is_survived_by_killing_everything_at_once(scenario):
    """keyturnd and both connectors die together, right after the PATCH."""
    hang(scenario, method="GET", path="*/token", after=2)
    scenario.journal.mark()
    scenario.keyturn.rotate()
    scenario.journal.wait_for("token_delivered")
    scenario.host.run("systemctl", "kill", "--signal=KILL", "keyturnd", FIRST, SECOND)
    scenario.units.wait_full()
    scenario.journal.wait_for("rotation_done", 60)
    state = scenario.cloudflare.tunnel_state()
    assert [item["fingerprints"] for item in state["connectors"]] == [[state["fingerprint"]]] * 2
