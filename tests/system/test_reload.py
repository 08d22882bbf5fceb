"""A new policy while keyturnd runs: taken whole or not at all, never by a rotation under way."""

import json
import pathlib

import pytest

from fault_checks import FIRST, SECOND, check_done
from scenario import wait_until
from scenario.keyturn import POLICY, UNIT, policy_text

ERROR = "3"
SLOW = {"settle": "200ms", "soak": "3s", "min_healthy_time": "500ms"}


def reload(scenario, check=True):
    return scenario.host.run("systemctl", "reload", UNIT, check=check)


def started(scenario):
    return len(scenario.journal.events("daemon_started"))


def plan(scenario):
    return json.loads(scenario.keyturn.ctl("plan", "--json", check=True).stdout)["tunnels"]


def plan_of_both_units(scenario):
    """Return the plan, as soon as keyturnd has looked which units the policy's glob names."""
    return wait_until(lambda: plan(scenario)[0]["batches"] == [1, 1] and plan(scenario),
                      "the plan for both units")


def test_a_new_policy_is_taken(scenario, traffic):
    assert not plan_of_both_units(scenario)[0]["starts"]
    text = policy_text(scenario.cloudflare.tunnel, rollout={"batches": 1})
    aged = text.replace("min_interval: 0", "min_interval: 1h, every: 2h")
    scenario.keyturn.write_policy_text(aged)
    reload(scenario)
    told = scenario.journal.wait_for("policy_reloaded")
    assert "with 1 tunnel" in told["MESSAGE"]
    after = wait_until(lambda: plan(scenario)[0]["batches"] == [2] and plan(scenario)[0],
                       "the new plan for both units")
    assert after["starts"][0]["cause"] == "due"
    assert not started(scenario), "it is the same process"
    scenario.keyturn.rotate()
    check_done(scenario)
    assert len(scenario.journal.events("batch_started")) == 1


@pytest.mark.parametrize("break_it, what", [
    (lambda text: text.replace("batches", "batchse"), "unknown key `batchse`"),
    (lambda text: text.replace("units:", "windows: [{start: Sat 2:0, length: 1s}]\n    units:"),
     "expected to take"),
    (lambda text: text.replace("credential: main", "credential: other"), "`other` is not in"),
    (lambda text: text.replace("{credential: cloudflare-api-token}", "{file: /etc/nothing}"),
     "/etc/nothing"),
    (lambda text: "", "the policy is empty"),
])
def test_a_wrong_policy_changes_nothing(scenario, break_it, what):
    before = plan_of_both_units(scenario)
    text = policy_text(scenario.cloudflare.tunnel, rollout={"batches": 1})
    scenario.keyturn.write_policy_text(break_it(text))
    if what != "/etc/nothing":  # Only keyturnd itself looks at credentials.
        assert reload(scenario, check=False).returncode != 0
        assert not scenario.journal.events("policy_refused"), "nobody was asked"
    scenario.host.run("systemctl", "kill", "--signal=HUP", UNIT)
    told = scenario.journal.wait_for("policy_refused")
    assert what in told["MESSAGE"] and told["PRIORITY"] == ERROR and told["RESULT"] == "refused"
    assert plan(scenario) == before and not started(scenario)
    scenario.keyturn.rotate()
    check_done(scenario)
    assert len(scenario.journal.events("batch_started")) == 2, "by the policy from before"


def program_of(scenario):
    return pathlib.PurePath(scenario.host.output(
        "readlink", "/proc/%d/exe" % scenario.keyturn.main_pid())).name


def test_the_first_tunnel_on_several_hosts_brings_the_other_program(scenario, traffic):
    process = scenario.keyturn.main_pid()
    assert program_of(scenario) == "keyturnd"
    scenario.keyturn.write_policy(coordinator={
        "kind": "file", "path": "/var/lib/keyturn/shared", "fleet_key": {"file": "/nowhere"}})
    reload(scenario)  # It ends when keyturnd is ready again.
    assert scenario.keyturn.main_pid() == process and program_of(scenario) == "keyturnd-fleet"
    told = scenario.journal.wait_for("policy_reloaded")
    assert "continues as keyturnd-fleet" in told["MESSAGE"]
    assert scenario.journal.wait_for("daemon_started")["SYSLOG_IDENTIFIER"] == "keyturnd"
    assert "/nowhere" in scenario.keyturn.ctl("fleet", "status", "web").stdout
    scenario.keyturn.write_policy()
    scenario.keyturn.restart()
    assert program_of(scenario) == "keyturnd"
    scenario.keyturn.rotate()
    check_done(scenario)


def test_without_the_other_program_keyturnd_says_what_is_missing(scenario):
    scenario.keyturn.write_policy(coordinator={
        "kind": "file", "path": "/var/lib/keyturn/shared", "fleet_key": {"file": "/nowhere"}})
    program = "/usr/libexec/keyturn/keyturnd-fleet"
    scenario.host.run("mv", program, program + ".away")
    process = scenario.keyturn.main_pid()
    try:
        reload(scenario)
        told = scenario.journal.wait_for("policy_refused")
        assert "keyturnd-fleet" in told["MESSAGE"] and told["PRIORITY"] == ERROR
        assert scenario.keyturn.main_pid() == process
        scenario.host.run("systemctl", "restart", UNIT, check=False)
        told = wait_until(
            lambda: [entry for entry in scenario.journal.read("SYSLOG_IDENTIFIER=keyturnd")
                     if "keyturnd: the `coordinator:`" in entry["MESSAGE"]], "the reason")
        assert "install keyturn again" in told[0]["MESSAGE"] and told[0]["PRIORITY"] == ERROR
    finally:
        scenario.host.run("mv", program + ".away", program)
        scenario.keyturn.write_policy()
        scenario.keyturn.restart()


def test_a_rotation_under_way_ends_as_it_was_begun(scenario, traffic):
    scenario.keyturn.write_policy(rollout=SLOW)
    scenario.keyturn.restart()
    scenario.journal.mark()
    scenario.keyturn.rotate()
    scenario.journal.wait_for("soak_started")
    scenario.keyturn.write_policy(rollout={**SLOW, "soak": "5m", "batches": 1}, units=[SECOND])
    reload(scenario)
    told = scenario.journal.wait_for("policy_reloaded")
    assert "the previous policy applies to web" in told["MESSAGE"]
    check_done(scenario)
    restarted = [event["TARGET_UNIT"] for event in scenario.journal.events("unit_restarting")]
    assert restarted == [FIRST, SECOND]
    after = wait_until(lambda: plan(scenario)[0]["batches"] == [1] and plan(scenario)[0],
                       "the new policy, once the rotation is over")
    assert after["units"] == [SECOND]
    scenario.keyturn.rollout.update({**SLOW, "batches": 2})  # What it was rotated by.


def test_tunnels_come_and_go(scenario):
    other = policy_text(scenario.cloudflare.tunnel).replace("  web:", "  site:")
    scenario.keyturn.write_policy_text(other)
    reload(scenario)
    wait_until(lambda: [one["name"] for one in plan(scenario)] == ["site"], "the new tunnel alone")
    assert scenario.keyturn.ctl("status", "web").returncode == 1
    assert scenario.keyturn.status("site")["state"] in ("idle", "waiting")
    scenario.keyturn.write_policy()
    reload(scenario)
    wait_until(lambda: [one["name"] for one in plan(scenario)] == ["web"], "the old tunnel alone")
    scenario.keyturn.rotate()
    check_done(scenario)


def test_a_drop_in_is_laid_over_the_policy(scenario):
    directory = POLICY.replace(".yaml", ".d")
    scenario.host.run("sh", "-c", "mkdir -p %s && cat >%s/10.yaml" % (directory, directory),
                      feed="defaults: {timezone: Europe/Berlin}\n"
                           "tunnels: {web: {rollout: {batches: 1}}}\n")
    try:
        reload(scenario)
        wait_until(lambda: plan(scenario)[0]["batches"] == [2], "the step of the drop-in")
        said = scenario.keyturn.ctl("check", POLICY, check=True)
        assert "is valid: 1 tunnel" in said.stdout
    finally:
        scenario.host.run("rm", "-r", directory)
