"""A host that only follows is gone for ever: before its turn, or with it."""

import pytest

from fleet_rotation import begin
from scenario import wait_until


def goes_on_without(fleet, before, count):
    """The rotation is held and names gamma; decommission ends that, and gamma joins again."""
    status = fleet["alpha"].keyturn.wait_status(seconds=180, state="held")
    assert status["hold_reason"] == "host_silent", status
    assert "gamma" in status["reason"] and "decommission" in status["reason"]
    invocations = [fleet[name].units.invocations() for name in ("alpha", "beta")]
    fleet.outside.run("sleep", "5")
    assert [fleet[name].units.invocations() for name in ("alpha", "beta")] == invocations
    fleet["alpha"].keyturn.ctl("fleet", "decommission", "web", "gamma", check=True)
    fleet.wait_idle(120, ("alpha", "beta"))
    summary = fleet.traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    assert len(fleet.cloudflare.secrets()) == count + 1
    assert fleet.cloudflare.current()["token"] != before
    fleet["gamma"].host.run("systemctl", "start", "keyturnd")
    wait_until(lambda: "does not have gamma" in fleet.status("gamma"), "gamma to see that", 60)
    fleet["gamma"].keyturn.ctl("fleet", "join", "web", check=True)
    wait_until(fleet.delivered, "the token on gamma", 60)
    fleet["gamma"].host.run("systemctl", "restart", *fleet["gamma"].units.names)


# The lead begins anew without the host and its unit.
@pytest.mark.breaks("resumed", "done")
def test_before_its_turn(fleet):
    before, count = begin(fleet, "alpha")
    fleet.wait_lead("roll")
    fleet["gamma"].keyturn.stop()
    goes_on_without(fleet, before, count)


@pytest.mark.breaks("resumed", "done")
def test_with_its_turn(fleet):
    """Nobody can know whether it has used it, so nothing else restarts until a person says so."""
    fleet["gamma"].journal.mark()
    before, count = begin(fleet, "alpha")
    fleet["gamma"].journal.wait_for("turn_taken", 120)
    fleet["gamma"].host.run("sh", "-c", "systemctl kill --signal=KILL keyturnd; "
                            "systemctl stop keyturnd")
    goes_on_without(fleet, before, count)
