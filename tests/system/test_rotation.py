"""A whole rotation under traffic: nothing lost, the right order, no secret anywhere."""

import base64
import json
import re

import pytest

from chronicle import Judge, Policy, read_entries
from scenario import event_name, wait_until
from scenario.cloudflare import WRITE_TOKEN, new_secret, token_text
from scenario.journal import moment
from secret_forms import forms_of, scan

FIRST = "cloudflared-web@1.service"
SECOND = "cloudflared-web@2.service"
SOAK_SECONDS = 2.0
MIN_HEALTHY_SECONDS = 1.0
STORY = ["rotation_started", "secret_prepared", "secret_committed", "token_delivered",
         "batch_started", "unit_restarting", "unit_verified", "soak_started", "soak_ended",
         "batch_started", "unit_restarting", "unit_verified", "rotation_done"]
# Generous: the machine that runs the tests does other things, too.
WINDOW_MAX_US = 100_000


class Told:
    """What one rotation left behind: the events, the traffic, the tokens before and after."""

    def __init__(self, scenario):
        scenario.journal.mark()
        self.old_token = scenario.keyturn.token()
        self.old_mark = scenario.cloudflare.fingerprint()
        self.old_invocations = scenario.units.invocations()
        traffic = scenario.traffic.start(rate=200, slow_rate=20, slow_delay="2s")
        self.follow = scenario.keyturn.ctl("rotate", "web", "--reason", "a test", "--follow")
        self.status = scenario.keyturn.status()
        self.traffic = traffic.stop()
        self.events = scenario.journal.events()
        self.new_token = scenario.keyturn.token()
        self.new_mark = scenario.cloudflare.fingerprint()

    def first(self, name, **fields):
        """Return the first event of this kind with these fields."""
        return next(entry for entry in self.events if event_name(entry) == name and
                    all(entry.get(key) == value for key, value in fields.items()))


@pytest.fixture(scope="module", name="scenario")
def scenario_under_traffic(boot):
    scenario = boot()
    scenario.keyturn.write_policy(rollout={
        "soak": "%gs" % SOAK_SECONDS, "min_healthy_time": "%gs" % MIN_HEALTHY_SECONDS})
    scenario.keyturn.restart()
    scenario.journal.wait_for("token_unknown", count=2)  # It has seen neither unit start.
    return scenario


@pytest.fixture(scope="module", name="told")
def rotation_of_a_healthy_tunnel(scenario):
    return Told(scenario)


def test_it_is_done(told):
    assert told.follow.returncode == 0, told.follow.stdout + told.follow.stderr
    assert told.status["state"] == "idle" and told.status["last_outcome"] == "done", told.status


def test_no_request_fails(told):
    assert told.traffic["classes"]["fast"]["sent"] > 200 * (SOAK_SECONDS + 2)
    assert told.traffic["classes"]["slow"]["sent"] > 20
    assert told.traffic["failed"] == 0, told.traffic["failures"]
    assert told.traffic["ok"] == told.traffic["sent"]


def test_every_unit_runs_the_new_token(scenario, told):
    assert told.new_mark != told.old_mark and told.new_token != told.old_token
    assert scenario.delivered()
    connectors = scenario.cloudflare.connectors().values()
    assert [item["fingerprints"] for item in connectors] == [[told.new_mark]] * 2
    for unit, invocation in scenario.units.invocations().items():
        assert invocation != told.old_invocations[unit]
    assert len(scenario.cloudflare.calls("PATCH")) == 1


def test_the_journal_tells_the_story_in_order(told):
    assert [event_name(entry) for entry in told.events] == STORY
    units = [entry["TARGET_UNIT"] for entry in told.events if "TARGET_UNIT" in entry]
    assert units == [FIRST, FIRST, SECOND, SECOND]


def test_every_entry_can_be_found_by_its_fields(scenario, told):
    rotation = told.first("rotation_done")["ROTATION_ID"]
    assert rotation
    for entry in told.events:
        assert entry["TUNNEL_NAME"] == "web" and entry["TUNNEL_ID"] == scenario.cloudflare.tunnel
        assert entry["ROTATION_ID"] == rotation, entry
        assert entry["FINGERPRINT"] == told.new_mark, entry
        assert entry["MESSAGE"] and entry["PHASE"]
    assert told.first("unit_restarting", TARGET_UNIT=FIRST)["BATCH"] == "1/2"
    assert told.first("unit_restarting", TARGET_UNIT=SECOND)["BATCH"] == "2/2"
    assert told.first("rotation_done")["RESULT"] == "done"


def test_the_second_half_waits_for_proof_and_soak_of_the_first(told):
    verified = told.first("unit_verified", TARGET_UNIT=FIRST)
    assert "systemd, ready, api" in verified["MESSAGE"]
    restarted = moment(told.first("unit_restarting", TARGET_UNIT=SECOND))
    soaked = restarted - moment(told.first("soak_started"))
    assert soaked >= SOAK_SECONDS
    assert moment(verified) < moment(told.first("soak_started")) < restarted
    healthy = moment(verified) - moment(told.first("unit_restarting", TARGET_UNIT=FIRST))
    assert healthy >= MIN_HEALTHY_SECONDS


def test_no_unit_is_restarted_before_cloudflare_and_file_have_the_token(told):
    committed = moment(told.first("secret_committed"))
    delivered = moment(told.first("token_delivered"))
    assert committed <= delivered < moment(told.first("unit_restarting"))


def test_the_dead_token_window_is_measured_and_short(told):
    text = told.first("token_delivered")["MESSAGE"]
    microseconds = int(re.search(r"(\d+) us after", text).group(1))
    assert 0 < microseconds < WINDOW_MAX_US


def test_the_judge_of_histories_would_see_a_soak_that_is_too_short(scenario, told):
    entries = read_entries(json.dumps(entry) for entry in told.events)
    for promise, broken in (("soak=2s", []), ("soak=1h", ["soak_length"])):
        judge = Judge(Policy().with_words([promise]))
        assert [breach.rule for breach in judge.read(entries)] == broken


def test_the_catalog_explains_every_entry(scenario, told):
    for entry in told.events:
        text = scenario.host.output("journalctl", "--dump-catalog", entry["MESSAGE_ID"])
        assert "Subject: " in text


def secrets_of(told):
    forms = {**forms_of("old", told.old_token), **forms_of("new", told.new_token)}
    assert len(set(forms.values())) > 10
    return {**forms, "API token": WRITE_TOKEN.encode()}


def test_no_secret_is_anywhere(scenario, told):
    result = scan(scenario, secrets_of(told))
    assert result["found"] == []
    assert all(size > 0 for size in result["looked_at"].values()), result["looked_at"]
    left = scenario.keyturn.kept_secrets()
    assert left == "", "the kept secrets were not wiped"


def test_files_of_keyturn_are_its_own(scenario):
    wide = scenario.host.output("find", "/var/lib/keyturn", "-ignore_readdir_race", "-mindepth",
                                "1", "(", "-perm", "/077", "-o", "!", "-user", "keyturn", ")",
                                "-printf", "%M %u %p\\n")
    assert wide == ""


PLANTS = {
    "journal": 'printf "a %s" "$(cat)" | systemd-cat --identifier=plant',
    "field": "exec /usr/bin/python3 -c 'import socket, sys;"
             "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
             "s.connect(\"/run/systemd/journal/socket\");"
             "s.send(b\"MESSAGE=a\\nHIDDEN=\" + sys.stdin.buffer.read() + b\"\\n\")'",
    "file": 'umask 022; cat >/tmp/plant',
    "group": 'umask 077; cat >/var/lib/plant; chmod 640 /var/lib/plant',
    "cmdline": 'setsid -f sh -c "sleep 1000; :" "$(cat)" </dev/null >/dev/null 2>&1',
    "environ": 'PLANT="$(cat)"; export PLANT; setsid -f sleep 1000 </dev/null >/dev/null 2>&1',
    "description": 'systemd-run --quiet --description="$(cat)" --unit=plant sleep 1000',
}
FORMS = ["new token", "new secret", "new secret, hex", "new secret, url-encoded",
         "new secret, raw"]


@pytest.fixture(name="weeds")
def remove_plants(scenario):
    """Remove what was planted; the journal keeps it, so these tests come last."""
    yield
    scenario.host.run("sh", "-c", "rm -f /tmp/plant /var/lib/plant; systemctl stop plant; "
                      "pkill -x -f 'sleep 1000'; :")


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_secret_is_found(scenario, weeds, plant):
    token = token_text(scenario.cloudflare.tunnel, new_secret())
    forms = forms_of("planted", token)
    assert scan(scenario, forms)["found"] == []
    scenario.host.run("sh", "-c", PLANTS[plant], feed=token)
    wait_until(lambda: scan(scenario, forms)["found"], "the plant to be found", 5, 0.2)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found(scenario, told, weeds, form):
    value = base64.b64encode(secrets_of(told)[form]).decode()
    scenario.host.run("sh", "-c", "umask 022; base64 -d >/tmp/plant", feed=value)
    assert ["/tmp/plant", form] in scan(scenario, secrets_of(told))["found"]
