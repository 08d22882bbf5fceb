"""What keyturnd looks at before it touches anything: each refusal says what to do, and nothing has
changed.
"""

import re

import pytest

from scenario.cloudflare import READ_TOKEN
from scenario.keyturn import POLICY, policy_text

SECOND = "cloudflared-web@2.service"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
EXIT_REFUSED = 4
EXIT_LOCKED = 75
EXIT_POLICY = 78


class Untouched:
    """Everything that a refused rotation must leave as it was."""

    def __init__(self, scenario):
        self._scenario = scenario
        self._before = self._look()

    def _look(self):
        scenario = self._scenario
        return {"secret": scenario.cloudflare.fingerprint(), "token": scenario.keyturn.token(),
                "units": scenario.units.invocations(),
                "files": scenario.host.output("find", "/var/lib/keyturn/tokens",
                                              "/var/lib/keyturn/pending", "-ignore_readdir_race",
                                              "-type", "f"),
                "patches": len(scenario.cloudflare.calls("PATCH"))}

    def check(self):
        assert self._look() == self._before


def refused(scenario, *sentences):
    """Ask for a rotation; it has to be refused with all these sentences, and nothing else done."""
    scenario.journal.mark()
    untouched = Untouched(scenario)
    followed = scenario.keyturn.ctl("rotate", "web", "--follow")
    said = followed.stdout + followed.stderr
    assert followed.returncode == EXIT_REFUSED, said
    event = scenario.journal.wait_for("rotation_refused")
    status = scenario.keyturn.status()
    assert status["state"] == "idle" and status["last_outcome"] == "refused"
    for sentence in sentences:
        for text in (said, event["MESSAGE"], status["reason"]):
            assert re.search(sentence, text), text
    assert "nothing was changed" in event["MESSAGE"]
    untouched.check()


def with_policy(scenario, **changes):
    scenario.keyturn.write_policy(**changes)
    scenario.keyturn.restart()


def test_wrong_api_token(scenario):
    scenario.keyturn.write_api_token("cfut_wrong-0000000000000000000000000001")
    scenario.keyturn.restart()
    refused(scenario, "cannot read the tunnel's token from Cloudflare", "(?i)token|credential")


def test_api_token_that_may_only_read(scenario):
    scenario.keyturn.write_api_token(READ_TOKEN)
    scenario.keyturn.restart()
    refused(scenario, "cannot read the tunnel's token from Cloudflare", "(?i)edit|write|permission")


def test_unknown_tunnel(scenario):
    scenario.keyturn.write_policy_text(policy_text(UNKNOWN))
    scenario.keyturn.restart()
    refused(scenario, "cannot read the tunnel's token from Cloudflare", "`?tunnel")


def test_unknown_account(scenario):
    with_policy(scenario, account="0" * 32)
    refused(scenario, "cannot read the tunnel's token from Cloudflare", "account")


def test_connector_outside_the_units(scenario):
    scenario.host.run("systemd-run", "--quiet", "--unit=stray", "cloudflared", "--no-autoupdate",
                      "tunnel", "run", "--token-file", "/var/lib/keyturn/tokens/web")
    scenario.units.wait_full(count=3)
    try:
        refused(scenario, "also runs elsewhere: connector [0-9a-f-]{36} from 127.0.0.1",
                "add its unit to `units:`, or stop it")
    finally:
        scenario.host.run("systemctl", "stop", "stray")


def test_unit_that_does_not_exist(scenario):
    with_policy(scenario, units=["cloudflared-web@*.service", "cloudflared-nope.service"])
    refused(scenario, "cloudflared-nope.service is not-found: correct `units:`")


def test_glob_that_matches_nothing(scenario):
    with_policy(scenario, units=["cloudflared-nope@*.service"])
    refused(scenario, "no unit matches `units:`")


def test_directory_that_cannot_be_written(scenario):
    scenario.host.run("chmod", "500", "/var/lib/keyturn/tokens")
    try:
        refused(scenario, "/var/lib/keyturn/tokens")
    finally:
        scenario.host.run("chmod", "700", "/var/lib/keyturn/tokens")


def test_directory_on_a_mount_that_is_read_only(scenario):
    secret, units = scenario.cloudflare.fingerprint(), scenario.units.invocations()
    scenario.host.run("sh", "-c", "cd /var/lib/keyturn && mount --bind tokens tokens && "
                      "mount -o remount,bind,ro tokens")
    scenario.keyturn.restart()  # It sees a mount only if it was there at its start.
    try:
        assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == EXIT_REFUSED
        told = scenario.journal.wait_for("rotation_refused")["MESSAGE"]
        assert "cannot be replaced" in told and "Read-only file system" in told
        assert scenario.cloudflare.fingerprint() == secret
        assert scenario.units.invocations() == units
    finally:
        scenario.keyturn.stop()
        scenario.host.run("umount", "/var/lib/keyturn/tokens")


def test_second_keyturnd_is_refused(scenario):
    second = scenario.host.run(
        "systemd-run", "--quiet", "--wait", "--pipe", "--property=User=keyturn",
        "--property=LoadCredential=cloudflare-api-token:/etc/keyturn/cloudflare-api-token",
        "keyturnd", "--state-directory", "/var/lib/keyturn", check=False)
    assert second.returncode == EXIT_LOCKED, second.stdout + second.stderr
    assert "another keyturnd uses /var/lib/keyturn" in second.stdout + second.stderr
    assert scenario.keyturn.status()["state"] == "idle"


@pytest.mark.parametrize("drop_in, sentence", [
    ("ExecStart=\nExecStart=/usr/bin/cloudflared tunnel run --token SECRETTOKEN\n",
     "command line contains the token itself"),
    ("UnsetEnvironment=\nEnvironment=TUNNEL_TOKEN=SECRETTOKEN\n", "TUNNEL_TOKEN"),
    ("ExecStart=\nExecStart=/usr/bin/cloudflared tunnel run --token-file /etc/other\n",
     "reads its token from /etc/other"),
], ids=["argv", "environment", "other file"])
def test_unit_that_would_ignore_the_file(scenario, drop_in, sentence):
    scenario.units.drop_in("source", "[Service]\n" + drop_in, unit=SECOND)
    refused(scenario, SECOND, sentence)
    said = [entry["MESSAGE"] for entry in scenario.journal.read("SYSLOG_IDENTIFIER=keyturnd")]
    assert said and not any("SECRETTOKEN" in text for text in said)


def test_one_replica(scenario):
    scenario.host.run("systemctl", "stop", SECOND)
    scenario.units.wait_full(count=1)
    refused(scenario, "only one unit is serving", "--accept-gap")


def test_unit_without_a_connection(scenario):
    scenario.cloudflare.knobs(registration_error="Unauthorized: Invalid tunnel secret")
    scenario.cloudflare.drop(connector=scenario.units.connector(SECOND))
    refused(scenario, SECOND + " is running but has no connection")


def test_broken_policy_keeps_keyturnd_from_starting(scenario):
    untouched = Untouched(scenario)
    text = policy_text(scenario.cloudflare.tunnel)
    wrong = text.replace("soak: 1s", "soke: 1s")
    line = next(i + 1 for i, words in enumerate(wrong.splitlines()) if "soke" in words)
    scenario.keyturn.write_policy_text(wrong)
    scenario.journal.mark()
    assert scenario.host.run("systemctl", "restart", "keyturnd", check=False).returncode != 0
    shown = scenario.units.show("keyturnd", "ExecMainStatus", "ActiveState", "NRestarts")
    assert shown == {"ExecMainStatus": str(EXIT_POLICY), "ActiveState": "failed", "NRestarts": "0"}
    said = "\n".join(entry["MESSAGE"] for entry in scenario.journal.read("-u", "keyturnd"))
    assert "%s:%d:7:" % (POLICY, line) in said, said
    assert "soak" in said
    untouched.check()
