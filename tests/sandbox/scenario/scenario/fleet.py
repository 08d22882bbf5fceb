"""Several hosts that serve one tunnel, a network between them, Cloudflare's model and a store."""

import pathlib
import re
import secrets
import shutil
import subprocess

from scenario.cloudflare import Cloudflare, decoded
from scenario.host import ScenarioHost
from scenario.journal import Journal
from scenario.keyturn import Keyturn
from scenario.places import STAND_IN
from scenario.scenario import DROP_IN
from scenario.stores import KEY_FILE, KINDS
from scenario.traffic import Traffic
from scenario.units import Units
from scenario.waiting import wait_until

# Everything outside of the hosts has this address, at the end of each host's only wire.
OUTSIDE = "10.99.0.1"
API_PORTS = ("8443",)
FLEET_KEY_FILE = "/etc/keyturn/fleet.key"
PUT_SECRET = 'umask 077 && cat >"$1" && chown keyturn:keyturn "$1"'
SCALE = """
mkdir -p /etc/systemd/system/keyturnd.service.d
printf '[Service]\\nEnvironment=KEYTURN_FLEET_TIME_SCALE=%s\\n' \
    >/etc/systemd/system/keyturnd.service.d/fleet.conf
systemctl daemon-reload
"""
NAMES = """
set -eu
sed '/cloudflare\\.test/d' /etc/hosts >/tmp/hosts
for name in api edge store; do echo "%s $name.cloudflare.test" >>/tmp/hosts; done
cat /tmp/hosts >/etc/hosts
""" % OUTSIDE


class FleetHost:
    """One host of the fleet: its connectors, its keyturn, its journal."""

    def __init__(self, directory, name, number, cloudflare, units):
        self.name = name
        self.number = number
        self.host = ScenarioHost(directory, "--hostname", name)
        self.journal = Journal(self.host)
        self.units = Units(self.host, cloudflare, self.journal, units)
        self.keyturn = Keyturn(self.host, cloudflare.tunnel)

    def journal_rotation(self):
        """Return the id of the last rotation that its history has."""
        return self.keyturn.status().get("rotation_id") or ""

    @property
    def wire(self):
        """The end of its wire outside."""
        return "to-" + self.name

    def pid(self):
        """Return its process 1, as this machine sees it."""
        return int((self.host.directory / "pid").read_text())


class Fleet:
    """A tunnel with one or more connectors on each of several hosts.

    `fleet_scale`: of the times of the fleet's protocol. `store`: "bucket" or "etcd".
    `rollout`: of the policy. `followers`: names of hosts that may not lead.
    """

    def __init__(self, directory, build, names=("alpha", "beta"), units=1, time_scale=0.1,
                 rollout=None, followers=(), fleet_scale=0.1, store="bucket"):
        directory = pathlib.Path(directory)
        self.build = build
        self.outside = ScenarioHost(directory / "outside", "--hostname", "outside")
        self.cloudflare = Cloudflare(self.outside, address=OUTSIDE, api_address=OUTSIDE)
        self.traffic = Traffic(self.outside, self.cloudflare.hostname)
        self.hosts = {name: FleetHost(directory / name, name, number, self.cloudflare, units)
                      for number, name in enumerate(names, 1)}
        self.followers = set(followers)
        self.rollout = rollout or {}
        self.fleet_scale = fleet_scale
        self.store = KINDS[store](self.outside, OUTSIDE)
        self.fleet_key = "key-1 " + secrets.token_hex(32)
        self._drop_in = DROP_IN % {"time_scale": time_scale, "start_timeout": "5",
                                   "stop_timeout": "5", "restart_pause": "1"}

    def __enter__(self):
        entered = []
        try:
            for host in (self.outside, *(item.host for item in self.hosts.values())):
                host.__enter__()
                entered.append(host)
            self._set_up()
        except BaseException as error:
            error.add_note(self.told() if len(entered) > len(self.hosts) else "")
            for host in reversed(entered):
                host.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in (*(item.host for item in self.hosts.values()), self.outside):
            host.__exit__()

    def __getitem__(self, name):
        return self.hosts[name]

    def _set_up(self):
        self.outside.run("ip", "address", "add", OUTSIDE + "/32", "dev", "lo")
        self.outside.run("sh", "-c", NAMES)
        self.cloudflare.start()
        self.store.start()
        for host in self.hosts.values():
            self._connect(host)
            self._install(host)
        for host in self.hosts.values():
            host.host.run("systemctl", "start", "keyturnd")
        self.found()
        for host in self.hosts.values():
            wait_until(host.keyturn.token, "the token file of " + host.name)
            host.host.run("systemctl", "start", *host.units.names)
        self.wait_full()

    def _connect(self, host):
        """Lay a wire from the host to the outside."""
        own, other = "10.98.%d.2" % host.number, "10.98.%d.1" % host.number
        subprocess.run(["nsenter", "--target", str(host.pid()), "--net", "ip", "link", "add",
                        "wire", "type", "veth", "peer", "name", host.wire, "netns",
                        str(int((self.outside.directory / "pid").read_text()))],
                       check=True, timeout=30)
        host.host.run("sh", "-c", "ip address add %s/30 dev wire && ip link set wire up && "
                      "ip route add default via %s" % (own, other))
        self.outside.run("sh", "-c", "ip address add %s/30 dev %s && ip link set %s up" % (
            other, host.wire, host.wire))
        host.host.run("sh", "-c", "ip route replace default via " + other)
        host.host.run("sh", "-c", NAMES)

    def policy(self, host):
        """Return the policy of one host."""
        coordinator = {
            **self.store.coordinator(), "ca_file": "/etc/keyturn/sandbox-ca.pem",
            "fleet_key": {"file": FLEET_KEY_FILE}, "lead": host.name not in self.followers}
        return {"coordinator": coordinator, "rollout": self.rollout}

    def _install(self, host):
        share = host.host.directory / "share" / "certs"
        shutil.copytree(self.outside.directory / "share" / "certs", share, dirs_exist_ok=True)
        host.units.install(STAND_IN)
        host.units.drop_in("sandbox", self._drop_in)
        host.keyturn.install(self.build)
        host.keyturn.write_policy(**self.policy(host))
        for path, text in ((FLEET_KEY_FILE, self.fleet_key), (KEY_FILE, self.store.key)):
            host.host.run("sh", "-c", PUT_SECRET, "put", path, feed=text)
        host.host.run("sh", "-c", SCALE % self.fleet_scale)

    def give_fleet_keys(self, *keys):
        """Let all hosts have these keys, one host after the other; the first key writes."""
        for host in self.hosts.values():
            host.host.run("sh", "-c", PUT_SECRET, "put", FLEET_KEY_FILE, feed="\n".join(keys))
            host.host.run("systemctl", "restart", "keyturnd")

    def found(self):
        """Begin the fleet on the first host, and let the others join."""
        first, *others = self.hosts.values()
        first.keyturn.ctl("fleet", "init", "web", check=True)
        for host in others:
            host.keyturn.ctl("fleet", "join", "web", check=True)

    def full(self):
        """Return whether every unit of every host has all its connections."""
        wanted = sum(len(host.units.names) for host in self.hosts.values())
        connectors = self.cloudflare.connectors().values()
        return sum(item["live"] >= 4 for item in connectors) == wanted == len(connectors)

    def wait_full(self, seconds=60.0):
        """Wait until they are `full`."""
        wait_until(self.full, lambda: "full connectors; the edge has %s" %
                   list(self.cloudflare.connectors().values()), seconds)

    def cut(self, host, ports):
        """Let a host not reach these ports outside."""
        for port in ports:
            self.hosts[host].host.run("iptables", "-A", "OUTPUT", "-p", "tcp", "--dport", port,
                                      "-j", "DROP")

    def cut_store(self, host):
        """Let a host not reach the store."""
        self.cut(host, self.store.ports)

    def cut_api(self, host):
        """Let a host not reach Cloudflare's API."""
        self.cut(host, API_PORTS)

    def mend(self, host):
        """Let a host reach everything again."""
        self.hosts[host].host.run("iptables", "-F", "OUTPUT")

    def open_rotation(self, name=None):
        """Return what one host knows of the open rotation: lead and phase, or ("", "")."""
        first = self.status(name)
        found = re.search(r"^web  (\w+).*?, (\w+) leads;", first)
        return (found.group(2), found.group(1)) if found else ("", "")

    def wait_lead(self, phase, seconds=60.0):
        """Wait until a rotation is in a phase, and return who leads it."""
        wait_until(lambda: self.open_rotation()[1] == phase, lambda: "phase %s; %s" % (
            phase, self.status()), seconds, 0.05)
        return self.open_rotation()[0] or "alpha"

    def wait_lead_is(self, name, seconds=120.0):
        """Wait until this host leads."""
        wait_until(lambda: self.open_rotation(name)[0] == name,
                   lambda: "%s to lead; %s" % (name, self.told()), seconds)

    def idle(self, names=None):
        """Return whether none of these hosts (all) knows of an open rotation."""
        return all("no rotation is open" in self.status(name) for name in names or self.hosts)

    def wait_idle(self, seconds=120.0, names=None):
        """Wait until they are `idle`."""
        wait_until(lambda: self.idle(names),
                   lambda: "the end of the rotation; %s" % self.told(), seconds, 0.5)

    def status(self, name=None):
        """Return what `keyturnctl fleet status` says on one host."""
        host = self.hosts[name] if name else next(iter(self.hosts.values()))
        return host.keyturn.ctl("fleet", "status", "web").stdout

    def delivered(self):
        """Return whether every token file holds the token that the API holds."""
        current = decoded(self.cloudflare.current()["token"])
        return all(decoded(host.keyturn.token()) == current for host in self.hosts.values())

    def told(self):
        """Return what every keyturnd has said, for a failure's report."""
        parts = []
        for host in self.hosts.values():
            entries = host.journal.read("SYSLOG_IDENTIFIER=keyturnd", "+", "_PID=1")
            parts += ["%s %s %s" % (entry["__REALTIME_TIMESTAMP"], host.name, entry["MESSAGE"])
                      for entry in entries]
            parts.append(host.host.run("keyturnctl", "fleet", "status", "web", check=False).stdout)
        return "\n".join(sorted(parts))
