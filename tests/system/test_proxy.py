"""A host that reaches Cloudflare's API only through a proxy with a login: setup and rotations."""

import json

import pytest

import proxy_network
from layouts import LAYOUTS
from scenario import StockHost, decoded, wait_until
from scenario.cloudflare import WRITE_TOKEN
from secret_forms import scan

RATE = {"rate": 100, "slow_rate": 5, "slow_delay": "500ms"}
DROP_IN = "/etc/keyturn/keyturn.d/cloudflare.proxy.yaml"
SETUP = ("keyturnctl", "setup", "--yes", "--api-token-file", "-")


@pytest.fixture(scope="module", name="enclosed")
def enclosed_host(request, tmp_path_factory):
    """Boot a host with two connectors in such a network; nothing is set up yet."""
    with StockHost(tmp_path_factory.mktemp("host"), request.config.getoption("--build"),
                   LAYOUTS["two named services"]) as host:
        proxy_network.enclose(host)
        yield host


@pytest.fixture(scope="module", name="refused")
def setup_without_the_proxy(enclosed):
    """Run setup as if there were no proxy."""
    return enclosed.set_up(check=False)


@pytest.fixture(scope="module", name="done")
def setup_with_the_proxy(enclosed, refused):
    """Run setup with HTTPS_PROXY in its environment, under traffic."""
    assert refused.returncode != 0
    traffic = enclosed.traffic.start(**RATE)
    result = proxy_network.with_environment(enclosed, *SETUP, feed=WRITE_TOKEN)
    enclosed.lost_in_setup = traffic.stop()
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(name="stock")
def set_up_host(enclosed, done):
    """Give the host after setup, with the right login and nothing open."""
    assert done.returncode == 0
    if enclosed.host.run("cat", proxy_network.LOGIN_FILE).stdout.strip() != proxy_network.LOGIN:
        proxy_network.set_login(enclosed, proxy_network.LOGIN)
    enclosed.host.run("systemctl", "start", proxy_network.UNIT)
    enclosed.keyturn.wait_status(state="idle")
    enclosed.journal.mark()
    return enclosed


def test_setup_says_that_cloudflare_cannot_be_found(refused):
    assert "cannot find the address of api.cloudflare.test" in refused.stdout + refused.stderr


def test_setup_takes_the_proxy_of_its_environment_into_the_policy(enclosed, done):
    assert "HTTPS_PROXY names the proxy %s:%d" % (
        proxy_network.NAME, proxy_network.PORT) in done.stdout
    mode, text = enclosed.file(DROP_IN)
    assert mode == 0o644
    assert 'url: "%s"' % proxy_network.URL in text and "credential: cloudflare-proxy" in text
    assert 'no_proxy: [".corp.test", "10.0.0.0/8"]' in text
    assert enclosed.file(proxy_network.LOGIN_FILE) == (0o600, proxy_network.LOGIN)
    lost = enclosed.lost_in_setup
    assert lost["sent"] > 0 and lost["failed"] == 0, lost["failures"]


def test_setup_again_changes_nothing(stock):
    before = stock.units.invocations()
    again = stock.host.run("keyturnctl", "setup", "--yes")
    assert "Everything is set up" in again.stdout, again.stdout
    assert stock.units.invocations() == before


def test_a_rotation_goes_through_the_proxy_and_loses_nothing(stock):
    traffic = stock.traffic.start(**RATE)
    stock.rotate()
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    assert proxy_network.packets_beside_the_proxy(stock) == 0


def test_the_login_of_the_proxy_is_nowhere_to_be_seen(stock):
    stock.host.run("keyturnctl", "doctor", check=False)
    forms = proxy_network.forms_of_login()
    stock.host.run("rm", "-f", "/root/proxy.env")
    stock.put("/tmp/plant", 0o644, proxy_network.PASSWORD)
    found = scan(stock, forms)["found"]
    assert ["/tmp/plant", "password"] in found
    stock.host.run("rm", "/tmp/plant")
    assert scan(stock, forms)["found"] == []


def test_the_doctor_finds_nothing_wrong_with_the_proxy(stock):
    told = json.loads(stock.host.run("keyturnctl", "doctor", "--json", check=False).stdout)
    assert [item for item in told["findings"] if item["id"].startswith("api-")] == []


def test_a_wrong_password_is_named_and_changes_nothing(stock):
    before = stock.cloudflare.current()["token"]
    proxy_network.set_login(stock, proxy_network.USER + ":wrong-password")
    answer = stock.keyturn.ctl("rotate", "web", "--follow")
    said = answer.stdout + answer.stderr
    assert answer.returncode != 0
    assert "the proxy %s:%d does not accept the user or the password (HTTP 401)" % (
        proxy_network.NAME, proxy_network.PORT) in said, said
    assert "cloudflare-proxy (`credential` of `proxy`)" in said, said
    assert "wrong-password" not in said
    assert stock.cloudflare.current()["token"] == before
    doctor = stock.host.run("keyturnctl", "doctor", check=False).stdout
    assert "does not accept the user or the password (HTTP 401)" in doctor, doctor
    proxy_network.set_login(stock, proxy_network.LOGIN)
    stock.rotate()


def test_the_doctor_names_the_proxy_that_is_down(stock):
    stock.host.run("systemctl", "stop", proxy_network.UNIT)
    doctor = stock.host.run("keyturnctl", "doctor", check=False).stdout
    assert "no address of the proxy %s accepts a connection at TCP port %d" % (
        proxy_network.NAME, proxy_network.PORT) in doctor.replace("\n    ", " "), doctor


def test_a_rotation_goes_on_when_the_proxy_comes_back(stock):
    traffic = stock.traffic.start(**RATE)
    before = stock.cloudflare.current()["token"]
    stock.keyturn.rotate()
    stock.journal.wait_for("token_delivered")
    stock.host.run("systemctl", "stop", proxy_network.UNIT)
    asked = proxy_network.attempts_at_the_proxy(stock)
    wait_until(lambda: proxy_network.attempts_at_the_proxy(stock) >= asked + 2,
               "keyturnd to ask the proxy that is down", 60, 0.2)
    assert stock.keyturn.status()["state"] == "running"
    stock.host.run("systemctl", "start", proxy_network.UNIT)
    stock.keyturn.wait_done(120)
    after = stock.cloudflare.current()["token"]
    assert before != after and decoded(stock.keyturn.token()) == decoded(after)
    wait_until(stock.units.healthy, "all units on the new token")
    summary = traffic.stop()
    assert summary["failed"] == 0, summary["failures"]


def test_the_environment_of_keyturnd_is_enough(stock):
    text = stock.file(DROP_IN)[1]
    stock.put("/etc/keyturn/proxy.env", 0o600, "https_proxy=%s\n" % proxy_network.URL.replace(
        "//", "//" + proxy_network.LOGIN + "@"))
    stock.put("/etc/systemd/system/keyturnd.service.d/70-proxy.conf", 0o644,
              "[Service]\nEnvironmentFile=/etc/keyturn/proxy.env\n")
    stock.host.run("sh", "-c", "rm %s && systemctl daemon-reload" % DROP_IN)
    stock.keyturn.restart()
    try:
        stock.rotate()
        assert proxy_network.packets_beside_the_proxy(stock) == 0
        # Only root can read the environment of keyturnd.
        own = "/proc/%d/environ" % stock.keyturn.main_pid()
        found = scan(stock, proxy_network.forms_of_login())["found"]
        assert [where for where, _ in found if where != own] == []
    finally:
        stock.put(DROP_IN, 0o644, text)
        stock.host.run("sh", "-c", "rm /etc/systemd/system/keyturnd.service.d/70-proxy.conf && "
                       "systemctl daemon-reload")
        stock.keyturn.restart()
