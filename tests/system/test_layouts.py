"""Hosts as people have them: set up, rotated, and taken out again, with traffic all the time."""

import pytest

from layouts import KEPT_SAFE, LAYOUTS, NOTHING_STALE, TOKEN_FILE
from scenario import wait_until

RATE = {"rate": 100, "slow_rate": 5}


def check_no_canary(host, token, *outputs):
    """The token may be nowhere but in the files of the layout and of keyturn."""
    secret = host.values(token)["secret"]
    journal = host.host.output("journalctl", "-o", "export", "-u", "keyturnd", "--no-pager")
    for text in (journal, *(done.stdout + done.stderr for done in outputs)):
        assert token not in text and secret not in text


@pytest.mark.parametrize("stock", LAYOUTS, indirect=True)
def test_a_layout_is_brought_in_rotated_twice_and_brought_out_again(stock):
    first = stock.cloudflare.current()["token"]
    traffic = stock.traffic.start(**RATE)
    done = stock.set_up()
    assert stock.changed_files(first) in ([], ["/etc/cloudflared/config.yml"]), done.stdout
    stock.rotate()
    stock.rotate()
    second = stock.keyturn.token()
    undone = stock.adopt("--undo", *stock.units.names)
    wait_until(stock.units.healthy, "all units on the current token")
    assert traffic.stop()["failed"] == 0
    check_no_canary(stock, first, done, undone)
    check_no_canary(stock, second, done, undone)
    if stock.name in KEPT_SAFE:
        assert stock.changed_files(first) == []
        assert stock.file(TOKEN_FILE) == (0o600, second)
        assert ("worthless token" in undone.stdout) == (stock.name not in NOTHING_STALE)
    else:
        assert stock.changed_files(second) == []
        assert not stock.host.output("find", "/etc/systemd/system", "-name", "*keyturn.conf")
    assert not stock.host.output("find", "/etc/keyturn/attested", "-type", "f")
    assert stock.host.run("systemctl", "is-active", "keyturnd", check=False).stdout == "inactive\n"
