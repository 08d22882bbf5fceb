"""A tunnel with one replica: an extra connector helps out, and no request is lost."""

import pytest

from scenario import wait_until
from scenario.keyturn import SURGE

ONLY = "cloudflared-web@1.service"
REQUESTS = 5000


@pytest.fixture(scope="module", name="scenario")
def one_replica(boot):
    scenario = boot(units=1)
    scenario.keyturn.install_surge()
    return scenario


@pytest.fixture(autouse=True)
def fresh(scenario):
    scenario.journal.mark()
    yield
    assert scenario.units.show(SURGE, "ActiveState")["ActiveState"] == "inactive"


def connected(scenario):
    """Return the fingerprints of what is connected."""
    return [item["fingerprints"] for item in scenario.cloudflare.connectors().values()]


def test_one_replica_rotates_without_a_lost_request(scenario):
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    follow = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert follow.returncode == 0, follow.stdout + follow.stderr
    wait_until(lambda: traffic.status().get("sent", 0) >= REQUESTS, "%d requests" % REQUESTS, 90)
    summary = traffic.stop()
    assert summary["sent"] >= REQUESTS and summary["failed"] == 0, summary["failures"]
    told = [(event["MESSAGE_ID"], event.get("TARGET_UNIT")) for event in scenario.journal.events()]
    surge = [scenario.journal.events(name, target_unit=SURGE)[0]["MESSAGE_ID"]
             for name in ("surge_started", "unit_verified", "surge_stopped")]
    restarted = scenario.journal.events("unit_restarting", target_unit=ONLY)
    assert len(restarted) == 1
    order = [told.index(item) for item in (
        (surge[0], SURGE), (surge[1], SURGE), (restarted[0]["MESSAGE_ID"], ONLY),
        (surge[1], ONLY), (surge[2], SURGE))]
    assert order == sorted(order), told
    wait_until(lambda: connected(scenario) == [[scenario.cloudflare.fingerprint()]],
               "the only unit to be the only connector")


def test_the_extra_one_is_what_the_unit_is(scenario):
    """Its user, its protection, its token file, and a metrics server of its own."""
    wanted = ("DynamicUser", "ProtectSystem", "TimeoutStopUSec", "LoadCredential")
    assert scenario.units.show(SURGE, *wanted) == scenario.units.show(ONLY, *wanted)
    assert "--metrics=127.0.0.1:0" in scenario.host.output("systemctl", "cat", SURGE)


def test_killed_while_it_helps_and_finished(scenario):
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    scenario.keyturn.rotate()
    scenario.journal.wait_for("surge_started")
    scenario.keyturn.kill()
    scenario.journal.wait_for("rotation_resumed")
    scenario.keyturn.wait_done()
    summary = traffic.stop()
    assert summary["failed"] == 0, summary["failures"]
    assert len(scenario.journal.events("surge_stopped")) == 1


def test_an_extra_one_that_fails_holds_and_nothing_else_is_touched(scenario):
    scenario.units.drop_in("broken", "[Service]\nExecStartPre=/bin/false\nRestart=no\n", unit=SURGE)
    before = scenario.units.invocations()
    scenario.keyturn.rotate()
    held = scenario.keyturn.wait_status(state="held")
    assert held["hold_reason"] == "verification_failed" and SURGE in held["reason"], held
    assert scenario.units.invocations() == before
    scenario.units.drop_in("broken", "", unit=SURGE)
    assert scenario.keyturn.ctl("retry", "web", "--follow").returncode == 0


def test_without_its_unit_the_rotation_is_refused_and_says_what_to_do(scenario):
    scenario.keyturn.remove_surge()
    refused = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert refused.returncode == 4
    assert "keyturnctl surge web" in refused.stdout, refused.stdout
    assert not scenario.journal.events("secret_committed")
