"""An operator who has logged in through the tunnel is not cut off without a word."""

import shlex

import pytest

from scenario import wait_until
from scenario.cloudflare import WRITE_TOKEN

SURGE = "/etc/systemd/system/keyturn-surge@web.service"


class Login:
    """A shell whose SSH_CONNECTION is a connection that a unit's connector really holds.

    sshd would name the connection from the connector to itself. Here it is the one from the
    connector to Cloudflare's edge, which the kernel describes in the same way.
    """

    def __init__(self, stock, unit):
        self.stock = stock
        pid = stock.host.output("systemctl", "show", "--value", "--property=MainPID", unit).strip()
        held = [line for line in stock.host.output("ss", "-Htnp", "dport = :7844").splitlines()
                if "pid=%s," % pid in line]
        self.connection = " ".join(end for field in held[0].split()[3:5]
                                   for end in field.rsplit(":", 1))

    def run(self, command, feed="", sudo=False):
        """Run a command of keyturnctl; sudo passes on no SSH_CONNECTION."""
        inner = "keyturnctl " + command
        if sudo:
            inner = "env -u SSH_CONNECTION sh -c %s" % shlex.quote(inner + "; exit $?")
        return self.stock.host.run(
            "env", "SSH_CONNECTION=" + self.connection, "sh", "-c", inner + "; exit $?",
            check=False, feed=feed)


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_the_only_way_in_is_restarted_beside_an_extra_connector_or_with_detach(stock):
    unit = stock.units.names[0]
    done = Login(stock, unit).run("setup --yes --api-token-file -", WRITE_TOKEN, sudo=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your login comes through %s" % unit in done.stdout
    login = Login(stock, unit)  # The connector is another one now.
    done = login.run("rotate web --follow", sudo=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your login comes through %s" % unit in done.stdout
    wait_until(stock.units.healthy, "the unit on the new token")

    stock.host.run("sh", "-c", "rm %s && systemctl daemon-reload" % SURGE)
    login = Login(stock, unit)
    before = stock.cloudflare.current()["token"]
    done = login.run("rotate web --accept-gap")
    assert done.returncode == 4 and "--detach" in done.stderr, done
    assert unit in done.stderr and "the only connector of web" in done.stderr
    assert stock.cloudflare.current()["token"] == before
    done = login.run("rotate web --accept-gap --detach --follow")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stock.cloudflare.current()["token"] != before


@pytest.mark.parametrize("stock", ["stock since 2026.7.2"], indirect=True)
def test_a_login_from_elsewhere_changes_nothing(stock):
    stock.set_up()
    elsewhere = Login(stock, stock.units.names[0])
    for connection in ("192.0.2.1 50022 192.0.2.2 22", "nonsense"):
        elsewhere.connection = connection
        done = elsewhere.run("rotate web --follow")
        assert done.returncode == 0 and "Your login" not in done.stdout, done
