"""systemd/ and config/ as they are installed: does systemd take them, and do polkit and the bus
allow the user keyturn what it needs and nothing more?
"""

import pathlib
import re

import pytest

from hosts import Host

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
INSTALL = REPOSITORY / "packaging/install"
SYSTEMD_README = REPOSITORY / "systemd/README.md"
UNITS = "/usr/lib/systemd/system"
PROJECT = f"""
cmake_minimum_required(VERSION 3.25)
project(installed LANGUAGES NONE)
include({REPOSITORY}/systemd/install.cmake)
"""
CONNECTORS = {  # the name of a unit: is it a connector in the default rule?
    "cloudflared.service": True,
    "cloudflared-eu-1.service": True,
    "cloudflared@web.service": True,
    "cloudflared-update.service": False,
    "cloudflared-update@web.service": False,
    "cloudflaredx.service": False,
    "mycloudflared.service": False,
    # What hosts really call them; names that could be anybody's need a rule of their own.
    "cf-tunnel.service": True,
    "cloudflare-tunnel.service": True,
    "cloudflare-tunnel@web.service": True,
    "cloudflared_tunnel.service": True,
    "container-cloudflared.service": True,
    "home-cloudflared.service": True,
    "my-cloudflared@web.service": True,
    "cloudflared-tunnel-f70ff985-a4ef-4643-bbbc-4a0ed4fc8415.service": True,
    "home-tunnel.service": False,
    "ssh-tunnel.service": False,
    "tunnel.service": False,
    "my-cloudflared-update.service": False,
}
BUILD = "cmake -G Ninja -S /mnt/share -B /tmp/build"
# All is installed as the README says, but with a cloudflared and a keyturnd that only sleep.
SLEEPERS = """
set -eu
printf '#!/bin/sh\\nsystemd-notify --ready\\nexec sleep 1000\\n' >/usr/bin/keyturnd
chmod 755 /usr/bin/keyturnd
cp /usr/bin/keyturnd /usr/bin/cloudflared
install -m 600 /dev/null /var/lib/keyturn/tokens/web

cd /usr/lib/systemd/system
cp /usr/share/doc/keyturn/examples/cloudflared-web@.service .
mkdir cloudflared-web@.service.d # systemd-notify is not the main process of the unit
printf '[Service]\\nNotifyAccess=all\\n' >cloudflared-web@.service.d/sleeper.conf
for unit in "$@"; do
    cp cloudflared-web@.service "$unit"
done
systemctl daemon-reload
systemctl start cloudflared-web@1
systemd-run --unit=unplanned sleep 1000
"""


@pytest.fixture(scope="module", name="host")
def host_with_keyturn(tmp_path_factory):
    directory = tmp_path_factory.mktemp("host")
    (directory / "share").mkdir()
    (directory / "share" / "CMakeLists.txt").write_text(PROJECT)
    with Host(directory) as host:
        for script in (BUILD, f"{INSTALL} copy /tmp/build", f"{INSTALL} register"):
            host.run("sh", "-c", script)
        host.run("sh", "-c", SLEEPERS, "install", *CONNECTORS)
        yield host


def manager(host, *call, user="keyturn"):
    """Calls systemd as an unprivileged user; '' or the error's text.

    A polkitd that ended and was started anew has decided nothing: it is asked again.
    """
    for _ in range(3):
        answer = host.run("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                          "org.freedesktop.systemd1.Manager", *call, user=user, check=False).stderr
        if "disconnected from message bus without replying" not in answer:
            break
    return answer


def test_units_are_valid(host):
    host.run("systemd-analyze", "verify", "--man=no", f"{UNITS}/keyturnd.service",
             f"{UNITS}/cloudflared-web@1.service")


def test_service_is_hardened(host):
    verdict = host.output("systemd-analyze", "security", "--offline=yes", "--threshold=15",
                          f"{UNITS}/keyturnd.service")
    print(verdict.splitlines()[-1])
    measured = re.search(r"exposure level for keyturnd.service: ([\d.]+)", verdict).group(1)
    told, version = re.search(r"hardened \(exposure ([\d.]+) by systemd (\d+)\)",
                              SYSTEMD_README.read_text()).groups()
    if host.output("systemctl", "--version").split()[1] == version:  # Others weigh otherwise.
        assert measured == told


def test_catalog_is_known_to_journalctl(host):
    assert "keyturnd" in host.output("journalctl", "--list-catalog",
                                     "39d34a9ae6b349a4abbda0f4b806a9f8")


def test_user_and_directories(host):
    assert host.output("id", "-gn", "keyturn") == "keyturn"
    for path, expected in (("/var/lib/keyturn", "keyturn:keyturn 700"),
                           ("/var/lib/keyturn/tokens", "keyturn:keyturn 700"),
                           ("/etc/keyturn/keyturn.d", "root:root 755")):
        assert host.output("stat", "--format=%U:%G %a", path) == expected


@pytest.mark.parametrize("name", ["cloudflare-api-token", "cloudflare-proxy", "fleet-key",
                                  "fleet-store"])
def test_credentials_are_made_private(host, name):
    host.run("install", "-m", "644", "/dev/null", "/etc/keyturn/" + name)
    host.run("systemd-tmpfiles", "--create", "keyturn.conf")
    assert host.output("stat", "--format=%a", "/etc/keyturn/" + name) == "600"


@pytest.mark.parametrize("call", [
    ("TryRestartUnit", "ss", "cloudflared-web@1.service", "fail"),
    ("RestartUnit", "ss", "cloudflared-web@1.service", "fail"),
    ("ResetFailedUnit", "s", "cloudflared-web@1.service"),
], ids=lambda call: call[0])
def test_planned_unit_may_be_restarted(host, call):
    assert manager(host, *call) == ""


@pytest.mark.parametrize("call", [
    ("StartUnit", "ss", "cloudflared-web@1.service", "fail"),
    ("StopUnit", "ss", "cloudflared-web@1.service", "fail"),
    ("ReloadUnit", "ss", "cloudflared-web@1.service", "fail"),
    ("KillUnit", "ssi", "cloudflared-web@1.service", "all", "9"),
    ("SetUnitProperties", "sba(sv)", "cloudflared-web@1.service", "true", "0"),
    ("TryRestartUnit", "ss", "unplanned.service", "fail"),
    ("TryRestartUnit", "ss", "dbus.service", "fail"),
    ("ResetFailedUnit", "s", "unplanned.service"),
    ("MaskUnitFiles", "asbb", "1", "cloudflared-web@1.service", "false", "false"),
    ("Reload",),
], ids=" ".join)
def test_nothing_else_may_be_done(host, call):
    answer = manager(host, *call)
    assert "denied" in answer or "authentication required" in answer


@pytest.mark.parametrize("unit, allowed", CONNECTORS.items())
def test_default_rule_knows_connectors_by_name(host, unit, allowed):
    assert ("denied" not in manager(host, "TryRestartUnit", "ss", unit, "fail")) == allowed


def test_nobody_else_may_restart_connectors(host):
    call = ("TryRestartUnit", "ss", "cloudflared-web@1.service", "fail")
    assert "authentication required" in manager(host, *call, user="nobody")


def own_name(host, user):
    script = ("import ctypes; s = ctypes.CDLL('libsystemd.so.0'); b = ctypes.c_void_p();"
              "assert s.sd_bus_open_system(ctypes.byref(b)) >= 0;"
              "print(s.sd_bus_request_name(b, b'org.keyturn.Keyturn1', ctypes.c_uint64(0)))")
    return int(host.output("/usr/bin/python3", "-c", script, user=user))


def test_only_keyturn_owns_its_name(host):
    assert own_name(host, "keyturn") > 0
    assert own_name(host, "nobody") < 0


# Owns the name, and prints the members of the signals that it gets.
LISTEN = """
import ctypes
lib, bus, signal = ctypes.CDLL("libsystemd.so.0"), ctypes.c_void_p(), ctypes.c_void_p()
lib.sd_bus_message_get_member.restype = ctypes.c_char_p
lib.sd_bus_message_get_member.argtypes = [ctypes.c_void_p]
assert lib.sd_bus_open_system(ctypes.byref(bus)) >= 0
assert lib.sd_bus_add_match(bus, None, b"type='signal',path='/org/example'", None, None) >= 0
assert lib.sd_bus_request_name(bus, b"org.keyturn.Keyturn1", ctypes.c_uint64(0)) >= 0
while lib.sd_bus_wait(bus, ctypes.c_uint64(2**64 - 1)) >= 0:
    while lib.sd_bus_process(bus, ctypes.byref(signal)) > 0:
        if signal.value:
            print((lib.sd_bus_message_get_member(signal) or b"a reply").decode(), flush=True)
"""


def test_signals_to_keyturn_alone_are_not_delivered(host):
    host.run("systemd-run", "--unit=listener", "--uid=keyturn", "/usr/bin/python3", "-c", LISTEN)
    name = "org.keyturn.Keyturn1"
    host.run("timeout", "20", "sh", "-c", "until busctl status %s; do sleep 0.1; done" % name)
    emit = ("busctl", "emit", "/org/example", "org.example")
    host.run(*emit[:2], "--destination=" + name, *emit[2:], "ToItAlone", user="nobody", check=False)
    host.run(*emit, "ToAll")
    host.run("timeout", "20", "sh", "-c",
             "until journalctl -u listener | grep -q ToAll; do journalctl --sync; done")
    assert "ToItAlone" not in host.output("journalctl", "--unit=listener", "--output=cat")
    host.run("systemctl", "stop", "listener")


@pytest.mark.parametrize("action", ["org.keyturn.rotate", "org.keyturn.retry"])
def test_keyturn_may_ask_polkit_about_its_actions(host, action):
    systemd = host.output("busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus",
                          "GetNameOwner", "s", "org.freedesktop.systemd1").split('"')[1]
    question = ("busctl", "call", "org.freedesktop.PolicyKit1",
                "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
                "CheckAuthorization", "(sa{sv})sa{ss}us", "system-bus-name", "1", "name", "s",
                systemd, action, "0", "0", "")  # systemd is root, so the answer is known
    assert host.output(*question, user="keyturn").startswith("(bba{ss}) true")
    assert "Only trusted callers" in host.run(*question, user="nobody", check=False).stderr
