"""`keyturnctl setup`, `adopt` and `surge`: what they refuse, restore, show and find."""

import contextlib
import datetime
import os
import pty
import select
import subprocess

import pytest

from layouts import RUN, TOKEN_FILE
from scenario import decoded, wait_until
from scenario.cloudflare import EXPIRED_TOKEN, EXPIRES_IN, EXPIRING_TOKEN, WRITE_TOKEN
from scenario.stock import LENGTH

RATE = {"rate": 100, "slow_rate": 5}
# Of a terminal that does not say how wide it is.
TERMINAL_COLUMNS = 80


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_setup_again_changes_nothing(stock):
    stock.set_up()
    before = stock.units.invocations()
    again = stock.host.run("keyturnctl", "setup", "--yes")
    assert "Everything is set up" in again.stdout, again.stdout
    assert stock.units.invocations() == before


@pytest.mark.parametrize("stock", ["two that refuse a credential"], indirect=True)
def test_units_that_do_not_come_back_get_their_files_back(stock):
    token = stock.cloudflare.current()["token"]
    traffic = stock.traffic.start(**RATE)
    done = stock.set_up_at_length()
    assert done.returncode == 7, done.stdout
    assert "Restoring the files" in done.stdout
    wait_until(stock.units.healthy, "both units with their old files", 60)
    assert traffic.stop()["failed"] == 0
    assert stock.changed_files(token) == []
    assert not stock.host.output("find", "/etc/systemd/system", "-name", "*keyturn.conf")
    assert stock.keyturn.status()["last_outcome"] == "reverted"


@pytest.mark.parametrize("stock", ["shell", "secret manager"], indirect=True)
def test_a_unit_that_cannot_be_rewritten_is_left_alone_with_the_reason(stock):
    before = stock.units.invocations()
    done = stock.set_up(check=False)
    assert done.returncode == 1, done.stdout
    assert "left alone: " in done.stdout and "keyturnctl adopt cloudflared.service" in done.stdout
    assert stock.units.invocations() == before
    assert stock.file("/etc/keyturn/keyturn.yaml") is None


@pytest.mark.parametrize("stock", ["stock until 2026.7.1"], indirect=True)
def test_a_dry_run_shows_everything_and_changes_nothing(stock):
    done = stock.host.run("keyturnctl", "setup", "--dry-run", "--api-token-file", "-",
                          feed="cfut_write-0000000000000000000000000001")
    for shown in ("Create /etc/keyturn/keyturn.yaml", "Create /etc/keyturn/keyturn.d/web.yaml",
                  "zz-keyturn.conf", "keyturn-surge@web.service", "50-keyturn.rules"):
        assert shown in done.stdout, shown
    assert stock.values()["token"] not in done.stdout
    assert stock.file("/etc/keyturn/keyturn.yaml") is None
    assert stock.changed_files() == []


@pytest.mark.parametrize("stock", ["stock until 2026.7.1"], indirect=True)
def test_an_api_token_that_may_not_write_is_refused_before_anything_is_changed(stock):
    done = stock.set_up(check=False, feed="cfut_read-00000000000000000000000000001")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "Write" in done.stdout + done.stderr or "Edit" in done.stdout + done.stderr
    assert stock.file("/etc/keyturn/keyturn.yaml") is None


@pytest.mark.parametrize("stock", ["stock until 2026.7.1"], indirect=True)
def test_an_api_token_that_has_expired_is_refused_and_one_that_soon_will_is_named(stock):
    refused = stock.set_up(check=False, feed=EXPIRED_TOKEN)
    assert refused.returncode == 4, refused.stdout + refused.stderr
    assert "the API token has expired" in refused.stderr
    soon = stock.set_up("--dry-run", feed=EXPIRING_TOKEN).stdout
    year = (datetime.datetime.now(datetime.timezone.utc) + EXPIRES_IN).strftime("%Y-")
    assert "The API token expires at " + year in soon, soon
    assert "expires" not in stock.set_up("--dry-run").stdout
    assert stock.file("/etc/keyturn/keyturn.yaml") is None


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_a_stored_api_token_that_cannot_be_read_is_replaced(stock):
    stock.set_up()
    stock.put("/etc/keyturn/cloudflare-api-token.cred", 0o600, "encrypted on another host\n")
    refused = stock.host.run("keyturnctl", "setup", "--yes", check=False)
    assert refused.returncode != 0 and "--api-token-file" in refused.stderr
    assert "The stored API token is replaced" in stock.set_up().stdout
    stock.rotate()


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_an_encrypted_api_token_takes_no_other_secret_away(stock):
    """Of the proxy and of a fleet: keyturnd.service passes them on as before."""
    stock.set_up()
    assert stock.file("/etc/keyturn/cloudflare-api-token") is None
    stock.put("/etc/keyturn/fleet-key", 0o600, "the key of a fleet")
    stock.host.run("systemctl", "restart", "keyturnd")
    for name, text in (("cloudflare-api-token", WRITE_TOKEN), ("cloudflare-proxy", "none"),
                       ("fleet-key", "the key of a fleet"), ("fleet-store", "none")):
        passed_on = stock.host.output("cat", "/run/credentials/keyturnd.service/" + name)
        assert passed_on == text, name


@pytest.mark.parametrize("stock", ["shell"], indirect=True)
def test_long_lines_are_wrapped_on_a_terminal_and_only_there(stock):
    plain = stock.host.run("keyturnctl", "setup", "--dry-run", check=False)
    shown = stock.host.run("env", "TERM=xterm", "script", "--quiet", "--return", "--command",
                           "keyturnctl setup --dry-run", "/dev/null", check=False)
    assert max(map(len, plain.stdout.splitlines())) > TERMINAL_COLUMNS
    assert max(map(len, shown.stdout.splitlines())) <= TERMINAL_COLUMNS, shown.stdout
    assert shown.stdout.split() == (plain.stdout + plain.stderr).split()


@pytest.mark.parametrize("stock", ["stock until 2026.7.1"], indirect=True)
def test_undo_exposes_the_token_only_if_that_is_asked_for(stock):
    stock.set_up()
    stock.rotate()
    token = stock.keyturn.token()
    stock.adopt("--undo", "--expose-token", "cloudflared.service")
    wait_until(stock.units.healthy, "the unit with the current token")
    assert stock.changed_files(token) == []
    assert stock.file(TOKEN_FILE) is None


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_a_drop_in_that_comes_later_is_found_and_adopt_goes_behind_it(stock):
    stock.set_up()
    stock.put("/etc/systemd/system/cloudflared.service.d/zzz.conf", 0o644,
              "[Service]\nExecStart=\nExecStart=%s --token-file %s\n" % (RUN, TOKEN_FILE))
    stock.host.run("systemctl", "daemon-reload")
    refused = stock.keyturn.ctl("rotate", "web", "--follow")
    assert refused.returncode == 4
    assert "keyturnctl adopt cloudflared.service" in refused.stdout.replace("\n    ", " ")
    stock.adopt("cloudflared.service")
    drop_ins = stock.host.output("ls", "/etc/systemd/system/cloudflared.service.d")
    assert drop_ins.split() == ["zzz.conf", "zzz.keyturn.conf"]
    stock.rotate()
    assert decoded(stock.keyturn.token()) == decoded(stock.cloudflare.current()["token"])


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_what_keyturnd_cannot_see_counts_only_as_root_has_seen_it(stock):
    stock.set_up()
    attested = "/etc/keyturn/attested/cloudflared.service.json"
    assert stock.file(attested)[0] == 0o640
    stock.host.run("rm", attested)
    refused = stock.keyturn.ctl("rotate", "web", "--follow")
    assert refused.returncode == 4
    assert "keyturnctl doctor cloudflared.service" in refused.stdout.replace("\n    ", " ")
    before = stock.units.invocations()
    looked = stock.host.run("keyturnctl", "doctor", "cloudflared.service", check=False)
    assert "Root has looked at cloudflared.service again" in looked.stdout, looked
    assert stock.file(attested)[0] == 0o640
    assert stock.units.invocations() == before
    stock.rotate()


# As the cgroup of a service of `systemd --user` looks.
USERS_CGROUP = ("/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/"
                "tunnel.service")
START_THERE = """
mkdir -p "$1" && umask 077 && cat >/run/users-token
echo $$ >"$1/cgroup.procs"
TUNNEL_EDGE=127.0.0.1:7844 setsid cloudflared --no-autoupdate tunnel run \
    --token-file /run/users-token >/dev/null 2>&1 &
"""


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_a_connector_of_a_users_own_systemd_is_named_and_its_tunnel_left_alone(stock):
    before = stock.units.invocations()
    stock.host.run("sh", "-c", START_THERE, "start", USERS_CGROUP, feed=stock.values()["token"])
    stock.units.wait_full(2)
    done = stock.set_up(check=False)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "tunnel.service runs under `systemd --user` of user 1000" in done.stdout
    assert "If the tunnel also runs on other hosts of yours, use --other-hosts" in done.stdout
    assert stock.units.invocations() == before
    assert stock.file("/etc/keyturn/keyturn.yaml") is None


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_a_tunnel_that_also_runs_on_other_hosts_comes_in_and_is_not_rotated(stock):
    ours = set(stock.cloudflare.connectors())
    # For keyturn, this one is not on this host.
    stock.host.run("sh", "-c", START_THERE, "start", USERS_CGROUP, feed=stock.values()["token"])
    stock.units.wait_full(2)
    other = (set(stock.cloudflare.connectors()) - ours).pop()
    token = stock.cloudflare.current()["token"]
    traffic = stock.traffic.start(**RATE)
    done = stock.set_up("--other-hosts")
    assert "web also runs on other hosts, so keyturnd does not rotate it yet" in done.stdout
    assert "keyturnd rotates web from now on" not in done.stdout
    assert decoded(stock.keyturn.token()) == decoded(token)
    assert other in stock.cloudflare.connectors(), "it is left alone"
    refused = stock.keyturn.ctl("rotate", "web", "--follow")
    assert refused.returncode == 4 and "keyturn-fleet(7)" in refused.stdout
    again = stock.host.run("keyturnctl", "setup", "--yes")
    assert "Everything is set up" in again.stdout, again.stdout
    assert traffic.stop()["failed"] == 0


@pytest.mark.parametrize("stock", ["stock until 2026.7.1"], indirect=True)
def test_a_unit_whose_token_an_undo_has_kept_safe_comes_in_and_out_again(stock):
    for _ in range(2):
        stock.set_up()
        stock.rotate()
        stock.adopt("--undo", *stock.units.names)
        wait_until(stock.units.healthy, "all units on the current token")
        assert stock.file(TOKEN_FILE) == (0o600, stock.keyturn.token())


def dialogue(stock, *arguments, answers):
    """Run keyturnctl on a terminal, and type each answer as soon as its question is there."""
    outside, inside = pty.openpty()
    process = subprocess.Popen([*stock.host.command(timeout=LENGTH), "keyturnctl", *arguments],
                               stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
    os.close(inside)
    shown = ""
    waiting = list(answers)
    with contextlib.suppress(OSError):  # A terminal whose other end is closed.
        while select.select([outside], [], [], LENGTH)[0]:
            text = os.read(outside, 65536).decode(errors="replace")
            if not text:
                break
            shown += text
            if waiting and shown.rstrip().endswith(waiting[0][0]):
                os.write(outside, waiting.pop(0)[1].encode())
    os.close(outside)
    return process.wait(LENGTH), shown


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_an_api_token_that_is_typed_at_once_is_not_shown(stock):
    answers = [("(it is not shown):", WRITE_TOKEN + "\n")]
    for _ in range(5):
        status, shown = dialogue(stock, "setup", "--dry-run", answers=answers)
        assert status == 0, shown
        assert "Create /etc/keyturn/keyturn.yaml" in shown and WRITE_TOKEN not in shown


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_without_an_answer_nothing_is_changed(stock):
    for answers in ([("(it is not shown):", "\x04")],
                    [("(it is not shown):", WRITE_TOKEN + "\n"), ("[Y/n]", "n\n")],
                    [("(it is not shown):", WRITE_TOKEN + "\n"), ("[Y/n]", "\x04")]):
        status, shown = dialogue(stock, "setup", answers=answers)
        assert status != 0, shown
        assert stock.file("/etc/keyturn/keyturn.yaml") is None
        assert stock.changed_files() == []
