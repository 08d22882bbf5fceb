"""What the tests of `keyturnctl doctor` do to a host, and the list of ways to break one."""

import json
import types

from scenario import wait_until
from scenario.cloudflare import WRITE_TOKEN

REGIONS = ("region1.v2.argotunnel.com", "region2.v2.argotunnel.com")
# Answers like a server that speaks QUIC, as far as the doctor asks.
QUIC = """\
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 7844))
while True:
    packet, sender = server.recvfrom(2048)
    if len(packet) >= 1200 and packet[0] & 0xC0 == 0xC0:
        server.sendto(b"\\x80\\0\\0\\0\\0" + packet[5:6], sender)
"""
# An address that takes packets and answers nothing: as behind a firewall that drops them.
SILENT = """\
import signal, socket, sys
held = []
for port in (53, 443, 7844):
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((sys.argv[1], port))
    server = socket.socket()
    server.bind((sys.argv[1], port))
    server.listen(0)
    held += [datagrams, server]
    for _ in range(3):  # As soon as its queue is full, it answers nobody.
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((sys.argv[1], port))
        held.append(client)
signal.pause()
"""
SERVER = "[Service]\nExecStart=/usr/bin/python3 /mnt/share/%s.py %%i\n"
# The two units of the host, in this order.
UNIT = "cf-tunnel-a.service"
OTHER = "cf-tunnel-b.service"
SYSTEM = "/etc/systemd/system/"
# What a test host is on purpose, or because of the machine that it runs on.
GIVEN = {"journal", "swap"}


class Doctor:
    """A stock host with what the doctor needs to find nothing."""

    def __init__(self, stock):
        self.stock = stock
        self.host = stock.host
        self.api = stock.cloudflare
        self.given = set()

    def make_network(self):
        """Let the names of the edge lead to the model, and start a server of QUIC."""
        lines = "".join("127.0.0.1 %s\n" % name for name in REGIONS)
        self.sh("printf '%s' >>/etc/hosts" % lines.replace("\n", "\\n"))
        for name, text in (("quic", QUIC), ("silent", SILENT)):
            (self.host.directory / "share" / (name + ".py")).write_text(text, encoding="utf-8")
            self.stock.put("/run/systemd/system/%s@.service" % name, 0o644, SERVER % name)
        self.host.run("systemctl", "daemon-reload")
        self.stock.put("/usr/local/bin/sudoedit", 0o755, '#!/bin/sh\n. /mnt/share/edit\n')
        self.start_quic()

    def start_quic(self):
        self.host.run("systemctl", "start", "quic@127.0.0.1")

    def sh(self, script, check=True, feed=""):
        return self.host.run("sh", "-c", script, check=check, feed=feed)

    def findings(self, *options):
        """Return the findings of a doctor, by their ids."""
        done = self.host.run("keyturnctl", "doctor", "--json", *options, check=False)
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        value = json.loads(done.stdout)
        failed = [item for item in value["findings"]
                  if item["severity"] == "fail" and not item["ignored"]]
        assert done.returncode == (6 if failed else 0) and value["ok"] == (not failed)
        found = {}
        for item in value["findings"]:
            found.setdefault(item["id"], []).append(item)
        return found

    def ids(self):
        return set(self.findings())

    def wait_healed(self, told=()):
        """Wait until a doctor finds no more than at the start.

        Each doctor asks the model of the API, and the model allows a limited number of calls.
        """
        wait_until(self._is_healed, lambda: "a healed host after %s; found: %s"
                   % (told, self.findings()), 60, 1)

    def _is_healed(self):
        found = self.findings()
        # keyturnd may have seen what was wrong, and not yet that it is over.
        for finding in found.get("keyturnd-finding", []):
            self.heal(finding["remedy"])
        return set(found) == self.given

    def clean_up(self, after=None):
        """Take away what a case and its remedy leave: drop-ins, faults and counted calls."""
        left = self.host.output("find", SYSTEM, "-regextype", "egrep", "-regex",
                                ".*/(00-test|10-[a-z-]+)[.]conf", "-print", "-delete")
        self.api.heal()
        if left:
            self.host.run("systemctl", "daemon-reload")
        if after:
            after(self)
        if left or after:
            self.wait_healed()
        wait_until(self.stock.units.healthy, "all units")

    def drop_in(self, text, unit=UNIT, name="00-test"):
        """Write a drop-in, and let systemd read it."""
        self.stock.put(SYSTEM + "%s.d/%s.conf" % (unit, name), 0o644, text)
        self.host.run("systemctl", "daemon-reload")

    def remove(self, path):
        self.sh('rm -rf "%s" && systemctl daemon-reload' % path)

    def own_drop_in(self, unit=UNIT):
        """Return the path of keyturn's drop-in."""
        return self.host.output("find", SYSTEM + unit + ".d", "-name", "*keyturn.conf").strip()

    def heal(self, remedy, asks_for_token=False, edit=""):
        """Run a remedy as it is printed; here is no sudo, and nobody to answer a question.

        `edit`: what a person does in the editor, as a command; "$1" is the file.
        """
        (self.host.directory / "share" / "edit").write_text(edit, encoding="utf-8")
        command = remedy.replace("sudo ", "")
        wants_token = "api-token-file" in command or asks_for_token
        if asks_for_token:
            command = command.replace("keyturnctl setup", "keyturnctl setup --api-token-file -")
        for verb in ("setup", "adopt"):
            command = command.replace("keyturnctl " + verb, "keyturnctl %s --yes" % verb)
        if "keyturnctl setup" in command:
            command = command.replace("setup --yes", "setup --yes --plain-credential")
        return self.sh(command, check=False, feed=WRITE_TOKEN if wants_token else "")


CASES = {}


def case(name, by_hand=None, before=None, after=None, edit="", asks_for_token=False):
    """Register a way to break the host.

    The id is the name up to a blank. `by_hand`: how a person heals it, where no command can.
    `edit`: what a person does to the file "$1" that the remedy opens. `before`: ends what would
    break it again. `after`: cleans up.
    """
    def register(function):
        CASES[name] = types.SimpleNamespace(
            id=name.partition(" ")[0], breaks=function, by_hand=by_hand, before=before,
            after=after, edit=edit, asks_for_token=asks_for_token)
        return function
    return register


def removes(path):
    """Return what removes a path, as a step of a case."""
    return lambda doctor: doctor.remove(path)
