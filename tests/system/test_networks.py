"""Hosts with IPv6 only, with a dead address family, with a name service that comes up late."""

import pytest

from scenario import decoded, wait_until

API = "api.cloudflare.test"
V4 = "192.0.2.53"
V6 = "2001:db8::53"
# The model of Cloudflare listens at IPv4; one forwarder stands before it for both families.
SOCKET = "[Socket]\nListenStream=[%s]:8443\nListenStream=%s:8443\n" % (V6, V4)
SERVICE = "[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8443\n"
PREPARE = """
set -eu
ip address add %s/32 dev lo
ip address add %s/128 dev lo nodad
systemctl daemon-reload
systemctl start families.socket
""" % (V4, V6)
NAME = """
set -eu
grep -v 'api\\.cloudflare\\.test' /etc/hosts >/tmp/hosts || true
for address; do echo "$address api.cloudflare.test" >>/tmp/hosts; done
cat /tmp/hosts >/etc/hosts
"""
# Answers every question for an IPv4 address with that of the model, and others with none.
NAME_SERVER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    end = query.index(0, 12) + 5
    found = query[end - 3] == 1
    reply = query[:2] + bytes((0x81, 0x80, 0, 1, 0, int(found), 0, 0, 0, 0)) + query[12:end]
    if found:
        reply += bytes((0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 10, 0, 4, 127, 0, 0, 1))
    server.sendto(reply, client)
"""
COUNT = "%s -nvxL INPUT | awk '/DROP/ {print $1}'"


@pytest.fixture(scope="module", name="scenario")
def host_with_both_families(boot_quick):
    scenario = boot_quick()
    for name, text in (("families.socket", SOCKET), ("families.service", SERVICE)):
        scenario.host.run("sh", "-c", 'cat >"/run/systemd/system/$1"', "put", name, feed=text)
    scenario.host.run("sh", "-c", PREPARE)
    return scenario


def name_api(scenario, *addresses):
    """Let the name of the API have exactly these addresses in /etc/hosts."""
    scenario.host.run("sh", "-c", NAME, "name", *addresses)


def rotate_under_traffic(scenario):
    """Rotate; nothing may be lost, and the new token has to be in place."""
    traffic = scenario.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    before = scenario.cloudflare.current()["token"]
    answer = scenario.keyturn.ctl("rotate", "web", "--follow")
    summary = traffic.stop()
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    after = scenario.cloudflare.current()["token"]
    assert before != after and decoded(scenario.keyturn.token()) == decoded(after)


def test_ipv6_alone_is_enough(scenario):
    name_api(scenario, V6)
    with scenario.looks():
        scenario.keyturn.restart()
    rotate_under_traffic(scenario)


@pytest.mark.parametrize("iptables,dead", [("ip6tables", V6), ("iptables", V4)])
def test_a_dead_family_stops_nobody(scenario, iptables, dead):
    """Its packets are dropped, as by a firewall that knows only the other family."""
    name_api(scenario, V6, V4)
    rule = ("INPUT", "--destination", dead, "-p", "tcp", "--dport", "8443", "-j", "DROP")
    scenario.host.run(iptables, "-A", *rule)
    try:
        with scenario.looks():
            scenario.keyturn.restart()
        rotate_under_traffic(scenario)
        # By the order of RFC 6724, IPv6 is tried first here.
        dropped = int(scenario.host.output("sh", "-c", COUNT % iptables))
        assert dropped > 0 or dead == V4
    finally:
        scenario.host.run(iptables, "-D", *rule)


def complaints(scenario):
    """Return what keyturnd has said about the name of the API since the mark."""
    sayings = [entry["MESSAGE"]
               for entry in scenario.journal.read("_SYSTEMD_UNIT=keyturnd.service")]
    return [text for text in sayings if text.startswith("keyturnd cannot") and API in text]


def test_a_name_service_that_comes_up_late_is_waited_for(scenario):
    name_api(scenario)
    scenario.host.run("sh", "-c", "cp --remove-destination /etc/resolv.conf /tmp/resolv.conf; "
                      "umount /etc/resolv.conf 2>/dev/null; rm -f /etc/resolv.conf; "
                      "echo nameserver 127.0.0.1 >/etc/resolv.conf")
    scenario.keyturn.stop()
    scenario.journal.mark()
    scenario.keyturn.restart()  # It has to report that it is ready.
    assert scenario.host.output("systemctl", "is-active", "keyturnd") == "active"
    wait_until(lambda: complaints(scenario), "keyturnd to say that the name is unknown", 30)
    assert scenario.keyturn.status()["state"] == "idle"
    last = max(call["n"] for call in scenario.cloudflare.calls())
    scenario.host.run("sh", "-c", "cat >/tmp/names.py", feed=NAME_SERVER)
    scenario.host.run("systemd-run", "--quiet", "--unit=names", "/usr/bin/python3", "/tmp/names.py")
    # It tries again after a minute.
    wait_until(lambda: any(call["n"] > last for call in scenario.cloudflare.calls()),
               "the next look of keyturnd at Cloudflare", 100, 0.5)
    assert len(complaints(scenario)) == 1, complaints(scenario)
    rotate_under_traffic(scenario)
