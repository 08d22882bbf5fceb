"""What the tests of faults have in common: units, policies, and the ends of a rotation."""

FIRST = "cloudflared-web@1.service"
SECOND = "cloudflared-web@2.service"
EXIT_HELD = 3
ALERT = "1"
# The stand-in starts, and never reaches the edge.
UNREACHABLE_EDGE = "[Service]\nEnvironment=TUNNEL_EDGE=127.0.0.1:1\n"
BUS = ("dbus.socket", "dbus.service")
# A soak or a settle in which a test does something, also on a busy machine.
WINDOW = "6s"


def with_rollout(scenario, **rollout):
    scenario.keyturn.write_policy(rollout=rollout)
    with scenario.looks():
        scenario.keyturn.restart()
    scenario.journal.mark()


def hang_in_the_patch(scenario):
    """Rotate until Cloudflare has got the new secret and does not answer."""
    scenario.cloudflare.fault("hang", method="PATCH", times=1)
    scenario.keyturn.rotate()
    scenario.keyturn.wait_status(phase="commit")


def rotate_into_the_soak(scenario, soak=WINDOW):
    """Rotate until the first batch serves and is watched for so long."""
    with_rollout(scenario, soak=soak)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")


def check_done(scenario, secrets=1):
    """Every unit runs the token that the API holds, and the rotation made one secret."""
    scenario.keyturn.wait_done()
    state = scenario.cloudflare.tunnel_state()
    assert len({item["fingerprint"] for item in state["fingerprints"]}) >= 2
    assert scenario.delivered()
    running = [item["fingerprints"] for item in state["connectors"]]
    assert running == [[state["fingerprint"]]] * len(running) and running
    prepared = scenario.journal.events("secret_prepared")
    assert len(prepared) == secrets


def check_held(scenario, reason, unit):
    """The rotation is held for this unit, with an alarm."""
    status = scenario.keyturn.wait_status(state="held")
    assert status["hold_reason"] == reason and unit in status["reason"], status
    alarm = scenario.journal.wait_for("rotation_held")
    assert alarm["PRIORITY"] == ALERT and alarm["TARGET_UNIT"] == unit
    assert alarm["RESULT"] == "held" and "keyturnctl retry web" in alarm["MESSAGE"]
    assert scenario.keyturn.ctl("status").returncode == EXIT_HELD
