"""An unprivileged user does all that he can at once: each rotation ends as it does without him."""

import functools
import time

import pytest

from fault_checks import check_done, with_rollout
from neighbour import USER, neighbour_on
from scenario import wait_until
from scenario.journal import EVENT_IDS
from strays import attach_stray, ours_alone, remove_stray
from test_hostile_callers import BUS_CALL

LISTENERS = 100_000
SOAK = 5
# Of a rotation of two units besides its soak, and until a stranger is out. An undisturbed one takes
# a fifth of it.
ROTATION_MAX = 60
LOCKOUT_MAX = 60


@pytest.fixture(name="attacked", autouse=True)
def host_under_attack(scenario):
    with_rollout(scenario, soak="%ds" % SOAK)
    process = scenario.keyturn.main_pid()
    with neighbour_on(scenario.host) as neighbour:
        neighbour.listen(LISTENERS)
        neighbour.storm("web")
        yield neighbour
        assert neighbour.goes_on(), "the attacks ended before the test did"
    assert scenario.keyturn.main_pid() == process, "keyturnd was restarted"
    assert not scenario.journal.events("rotation_held")


def test_the_attack_is_one(scenario):
    """Polkit's question about two calls of the user stays open, so a third is refused at once."""
    denied = scenario.host.run("sh", "-c", BUS_CALL + "Retry s web", user=USER, check=False)
    assert "polkit is already being asked about 2 calls of this user" in denied.stderr
    everything = scenario.journal.read("MESSAGE_ID=" + EVENT_IDS["rotation_held"])
    assert everything, "a forged alarm is in the journal"


def test_rotation_and_soak(scenario, traffic):
    began = time.monotonic()
    done = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < ROTATION_MAX + SOAK
    check_done(scenario)
    assert len(scenario.journal.events("unit_restarting")) == 2


def test_operator_pauses_and_resumes_in_the_soak(scenario, traffic):
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    for verb in ("pause", "resume"):
        began = time.monotonic()
        done = scenario.keyturn.ctl(verb, "web")
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - began < ROTATION_MAX
    check_done(scenario)


def test_compromise(scenario, request):
    stray = attach_stray(scenario)
    request.addfinalizer(functools.partial(remove_stray, scenario))
    began = time.monotonic()
    done = scenario.keyturn.ctl("rotate", "web", "--compromised", "--follow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < LOCKOUT_MAX + ROTATION_MAX
    evicted = scenario.journal.events("connector_evicted")
    assert len(evicted) == 1 and stray in evicted[0]["MESSAGE"]
    assert scenario.journal.events("locked_out")
    wait_until(lambda: ours_alone(scenario), "nobody but our own units")
