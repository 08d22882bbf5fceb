"""What somebody else does to a tunnel that is not being rotated."""

ALERT = "1"
QUICK = {"interval": "500ms"}


def watch(scenario, **drift):
    """Let keyturnd look for drift all the time."""
    scenario.keyturn.write_policy(drift={**QUICK, **drift})
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.journal.mark()


def test_a_strangers_rotation_is_taken_over_without_a_lost_request(scenario):
    watch(scenario)
    before = scenario.units.invocations()
    patches = len(scenario.cloudflare.calls("PATCH"))
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    scenario.cloudflare.rotate_by_hand()
    told = scenario.journal.wait_for("foreign_rotation")
    assert told["FINGERPRINT"] == scenario.cloudflare.fingerprint()
    status = scenario.keyturn.wait_done(outcome="taken over")
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    assert scenario.delivered()
    after = scenario.units.invocations()
    assert all(after[unit] != before[unit] for unit in before), "each runs as a new process"
    state = scenario.cloudflare.tunnel_state()
    assert all(item["fingerprints"] == [state["fingerprint"]] for item in state["connectors"])
    assert len(scenario.cloudflare.calls("PATCH")) == patches + 1, "the stranger's"
    assert "taken over" in status["reason"]


def test_a_secret_that_comes_back_is_held(scenario):
    watch(scenario)
    first = scenario.cloudflare.current()["secret"]
    scenario.keyturn.rotate()
    scenario.keyturn.wait_done()
    scenario.cloudflare.rotate_by_hand(first)
    alarm = scenario.journal.wait_for("rotation_held")
    assert alarm["PRIORITY"] == ALERT and "restored a secret" in alarm["MESSAGE"]
    assert scenario.keyturn.wait_status(state="held")["hold_reason"] == "retired_secret"
    before = scenario.units.invocations()
    scenario.keyturn.restart()
    scenario.keyturn.wait_status(state="held")
    assert scenario.units.invocations() == before
    scenario.keyturn.ctl("retry", "web", check=True)
    scenario.keyturn.wait_done(outcome="taken over")
    assert scenario.delivered()


def test_a_connector_that_nothing_accounts_for_is_an_alarm(scenario):
    watch(scenario)
    scenario.host.run("systemd-run", "--quiet", "--unit=stray", "cloudflared", "--no-autoupdate",
                      "tunnel", "run", "--token-file", "/var/lib/keyturn/tokens/web")
    try:
        scenario.units.wait_full(count=3)
        alarm = scenario.journal.wait_for("foreign_connector")
        assert alarm["PRIORITY"] == ALERT and "not one of its units" in alarm["MESSAGE"]
    finally:
        scenario.host.run("systemctl", "stop", "stray")
