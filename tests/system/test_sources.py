"""Units that take their token from elsewhere: the command that the refusal names is run, the old
files are deleted, and the unit is one of those that rotate.
"""

import re

import pytest

UNIT = "cloudflared-web@1.service"
EXIT_REFUSED = 4
RUN = "/usr/bin/cloudflared --no-autoupdate tunnel run"
FRESH = "LoadCredential=\nUnsetEnvironment=\nExecStart=\n"
LAYOUTS = {
    "argument": "[Service]\n" + FRESH + "ExecStart=" + RUN + " --token %(token)s\n",
    "environment": "[Service]\n" + FRESH + "Environment=TUNNEL_TOKEN=%(token)s\n"
                   "ExecStart=" + RUN + "\n",
    "environment file": "[Service]\n" + FRESH + "EnvironmentFile=/etc/old/environment\n"
                        "EnvironmentFile=-/etc/old/other\nExecStart=" + RUN + "\n",
    "credential and conditions":
        "[Unit]\nConditionFileNotEmpty=/etc/old/token\nConditionPathExists=/etc/old/token\n"
        "ConditionPathIsDirectory=/etc\nAssertPathExists=/etc/old/token\nAssertPathExists=/etc\n"
        "[Service]\n" + FRESH + "LoadCredential=tunnel-token:/etc/old/token\n"
        "LoadCredential=other:/etc/hostname\nExecStart=" + RUN + " --token-file %%d/tunnel-token\n",
    "token file": "[Service]\n" + FRESH + "DynamicUser=no\nProtectSystem=no\n"
                  "ExecStart=" + RUN + " --token-file /etc/old/token\n",
}
OLD_FILES = """
set -eu
install -d /etc/old
umask 077
printf '%s' "$1" >/etc/old/token
printf 'TUNNEL_TOKEN=%s\\n' "$1" >/etc/old/environment
chmod 644 /etc/old/environment
"""


@pytest.fixture(name="directory")
def directory_that_is_removed(scenario):
    yield "/run/systemd/system/cloudflared-web@.service.d"
    scenario.host.run("sh", "-c", "rm -rf /run/systemd/system/cloudflared-web@.service.d /etc/old; "
                      "systemctl unset-environment TUNNEL_TOKEN; systemctl daemon-reload")


def refusal(scenario):
    asked = scenario.keyturn.ctl("rotate", "web", "--follow")
    assert asked.returncode == EXIT_REFUSED, asked.stdout + asked.stderr
    return scenario.journal.events("rotation_refused")[-1]["MESSAGE"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_command_of_a_refusal_helps_and_the_old_file_can_go(scenario, directory, layout):
    token = scenario.cloudflare.current()["token"]
    scenario.host.run("sh", "-c", OLD_FILES, "old", token)
    scenario.host.run("sh", "-c", 'mkdir -p "$1" && printf "[Service]\\nNice=1\\n" >"$1/zzz.conf"',
                      "late", directory)
    scenario.units.drop_in("override", LAYOUTS[layout] % {"token": token}, unit=UNIT)
    scenario.host.run("systemctl", "restart", UNIT)
    scenario.units.wait_full()
    said = refusal(scenario)
    assert token not in said
    command = re.search("run as root: (keyturnctl adopt [^ ]+service)", said).group(1)
    scenario.host.run(*command.split(), "--yes")
    scenario.host.run("rm", "-r", "/etc/old")
    scenario.host.run("systemctl", "restart", UNIT)
    scenario.units.wait_full()
    shown = scenario.units.show(UNIT, "DropInPaths", "Conditions", "Asserts", "LoadCredential",
                                "EnvironmentFiles")
    assert shown["DropInPaths"].split()[-1].endswith("/zzz.keyturn.conf"), shown
    if layout == "credential and conditions":
        listed = scenario.host.output("systemctl", "cat", UNIT)
        assert "other:/etc/hostname" in listed.rsplit("zzz.keyturn.conf", 1)[1]
        assert "ConditionPathIsDirectory=/etc" in listed.rsplit("zzz.keyturn.conf", 1)[1]
    assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == 0
    assert scenario.delivered()
    assert scenario.keyturn.status()["last_outcome"] == "done"


def test_a_later_drop_in_that_overrides_ours_is_named(scenario, directory):
    token = scenario.cloudflare.current()["token"]
    scenario.host.run("sh", "-c", OLD_FILES, "old", token)
    scenario.units.drop_in("keyturn", "[Service]\nExecStart=\nExecStart=" + RUN +
                           " --token-file %d/token\n", unit=UNIT)
    scenario.units.drop_in("override", LAYOUTS["token file"] % {"token": token}, unit=UNIT)
    assert re.search("/override.conf, [^;]* sort after keyturn.conf", refusal(scenario))


def test_what_the_manager_gives_to_every_unit_is_seen(scenario, directory):
    token = scenario.cloudflare.current()["token"]
    scenario.units.drop_in("open", "[Service]\nUnsetEnvironment=\n", unit=UNIT)
    scenario.host.run("systemctl", "set-environment", "TUNNEL_TOKEN=" + token)
    said = refusal(scenario)
    assert "systemctl set-environment" in said and token not in said
    command = re.search("run as root: (keyturnctl adopt [^ ]+service)", said).group(1)
    scenario.host.run(*command.split(), "--yes")
    assert scenario.keyturn.ctl("rotate", "web", "--follow").returncode == 0


def test_a_glob_passes_over_what_is_no_connector(scenario, directory):
    scenario.host.run("sh", "-c", "printf '[Service]\\nType=oneshot\\nExecStart=/usr/bin/true\\n' "
                      ">/run/systemd/system/cloudflared-web-update.service; "
                      "printf '[Timer]\\nOnCalendar=daily\\n' "
                      ">/run/systemd/system/cloudflared-web-update.timer; systemctl daemon-reload; "
                      "systemctl start cloudflared-web-update.timer")
    try:
        scenario.keyturn.write_policy(units=["cloudflared-web*.service"])
        scenario.keyturn.restart()
        asked = scenario.keyturn.ctl("rotate", "web", "--follow")
        assert asked.returncode == 0, asked.stdout + asked.stderr
        started = scenario.journal.events("rotation_started")[-1]["MESSAGE"]
        assert "2 units" in started and "cloudflared-web-update.service: " in started
    finally:
        scenario.host.run("sh", "-c", "systemctl stop cloudflared-web-update.timer; "
                          "rm /run/systemd/system/cloudflared-web-update.*; "
                          "systemctl daemon-reload")


def test_the_example_has_no_condition_that_would_keep_it_down(scenario):
    shown = scenario.host.output("systemctl", "cat", UNIT)
    assert not re.search("^(Condition|Assert)", shown, re.MULTILINE)
