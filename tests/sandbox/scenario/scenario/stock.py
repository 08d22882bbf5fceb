"""A host as people have it: connectors in units of their own, and a keyturn that is not set up."""

import json
import subprocess

from scenario.cloudflare import API_URL, WRITE_TOKEN, Cloudflare, decoded
from scenario.host import ScenarioHost
from scenario.journal import Journal, moment
from scenario.keyturn import QUICK, Keyturn
from scenario.places import STAND_IN
from scenario.traffic import Traffic
from scenario.units import Units
from scenario.waiting import wait_until

# What a host has only because it is a test host. Its own keys come from setup.
SANDBOX_POLICY = """\
cloudflare:
  api_url: %s
  ca_file: /etc/keyturn/sandbox-ca.pem
defaults:
  rotate: {min_interval: 0}
  rollout: %s
"""
LENGTH = 240
PUT = 'mkdir -p "$(dirname "$1")" && umask 077 && cat >"$1" && chmod "$2" "$1"'
EDGE = "[Service]\nEnvironment=TUNNEL_EDGE=%s:7844\nEnvironment=SANDBOX_TIME_SCALE=%s\n"
LOOPBACK = "127.0.0.1"


class Layout:
    """How a host runs its connectors: units and the files that belong to them.

    In the texts, %(token)s is the token, %(secret)s its secret, %(tunnel)s the id of the tunnel,
    %(account)s that of the account. `files`: path to (mode, text). `names`: the units that run,
    if they are not those of the files, such as instances of a template. `before_start`: called with
    the host when all is written. `address`: where edge and origin are; 192.0.2.1 can be reached
    from other network namespaces.
    """

    def __init__(self, units, files=None, names=None, before_start=None, address=LOOPBACK):
        self.units = units
        self.files = files or {}
        self.names = names or list(units)
        self.before_start = before_start
        self.address = address

    def written(self, values):
        """Return path to (mode, text) of all files."""
        files = {"/etc/systemd/system/" + name: (0o644, text) for name, text in self.units.items()}
        files.update(self.files)
        return {path: (mode, text % values) for path, (mode, text) in files.items()}


class StockUnits(Units):
    """The units of a layout."""

    def __init__(self, host, cloudflare, journal, names):
        super().__init__(host, cloudflare, journal, 0)
        self.names = names


class StockHost:
    """A host with the model of Cloudflare, the units of a layout, and keyturn as installed.

    `build`: the package or the build directory that is installed; None: nothing yet. `root`: the
    system of the host, if it is not this machine's. `host`: a host in the place of a new one.
    """

    def __init__(self, directory, build, layout, cloudflared=STAND_IN, time_scale="0.1",
                 rollout=None, root=None, host=None):
        options = ("--root", root) if root else ()
        self.host = host or ScenarioHost(directory, "--hostname", "stockhost", *options)
        self.build = build
        self.layout = layout
        self.cloudflare = Cloudflare(self.host, address=layout.address)
        self.journal = Journal(self.host)
        self.units = StockUnits(self.host, self.cloudflare, self.journal, layout.names)
        self.keyturn = Keyturn(self.host, self.cloudflare.tunnel)
        self.traffic = Traffic(self.host, self.cloudflare.hostname)
        self._cloudflared = cloudflared
        self._edge = EDGE % (layout.address, time_scale)
        self._rollout = rollout or QUICK

    def __enter__(self):
        self.host.__enter__()
        try:
            self._set_up()
        except BaseException as error:
            error.add_note(self.told())
            self.host.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.host.__exit__()

    def _set_up(self):
        self.cloudflare.start()
        self.units.install(self._cloudflared)
        self.host.run("sh", "-c", "rm /etc/systemd/system/cloudflared-web@.service")
        if self.build:
            self.keyturn.install_files(self.build)
            self.put_sandbox_policy()
        for path, (mode, text) in self.layout.written(self.values()).items():
            self.put(path, mode, text)
        for unit in self.units.names:
            self.put("/run/systemd/system/%s.d/sandbox.conf" % unit, 0o644, self._edge)
        self.host.run("systemctl", "daemon-reload")
        # As `cloudflared service install` does; systemd then knows them also when they are stopped.
        self.host.run("systemctl", "enable", "--quiet", *self.units.names)
        if self.layout.before_start:
            self.layout.before_start(self)
        self.units.start()

    def put_sandbox_policy(self):
        """Lead keyturn to the model of Cloudflare, and let it wait for less long."""
        self.put("/etc/keyturn/keyturn.d/90-sandbox.yaml", 0o644,
                 SANDBOX_POLICY % (API_URL, json.dumps(self._rollout)))

    def values(self, token=None):
        """Return what stands for the names in a layout."""
        text = token or self.cloudflare.current()["token"]
        said = decoded(text)
        return {"token": text, "secret": said["s"], "tunnel": said["t"], "account": said["a"]}

    def put(self, path, mode, text):
        """Write a file."""
        self.host.run("sh", "-c", PUT, "put", path, "%o" % mode, feed=text)

    def file(self, path):
        """Return (mode, text) of a file; None: there is none."""
        shown = self.host.run("stat", "--format=%a", path, check=False)
        if shown.returncode != 0:
            return None
        return int(shown.stdout, 8), self.host.run("cat", path).stdout

    def changed_files(self, token=None):
        """Return the files of the layout that are not as they were, but for the token."""
        return sorted(path for path, wanted in self.layout.written(self.values(token)).items()
                      if self.file(path) != wanted)

    def set_up(self, *options, check=True, feed=WRITE_TOKEN):
        """Run `keyturnctl setup` unattended, with an API token."""
        return self._ctl("setup", "--yes", "--api-token-file", "-", *options, check=check,
                         feed=feed)

    def set_up_at_length(self):
        """Like `set_up`, for what may take longer than a command in a test host may."""
        command = self.host.command(timeout=LENGTH)
        return subprocess.run([*map(str, command), "keyturnctl", "setup", "--yes",
                               "--api-token-file", "-"], input=WRITE_TOKEN, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def adopt(self, *arguments, check=True):
        """Run `keyturnctl adopt`."""
        return self._ctl("adopt", "--yes", *arguments, check=check)

    def _ctl(self, *arguments, check, feed=""):
        return self.host.run("keyturnctl", *arguments, check=check, feed=feed)

    def rotate(self, of="web"):
        """Rotate, and wait for the end. It has to succeed."""
        before = self.cloudflare.current()["token"]
        self.keyturn.ctl("rotate", of, "--follow", check=True)
        after = self.cloudflare.current()["token"]
        assert before != after and decoded(self.keyturn.token(of)) == decoded(after)
        wait_until(self.units.healthy, "all units on the new token")

    def told(self):
        """Return what keyturnd and systemd said, for a failure's report."""
        entries = self.journal.read("SYSLOG_IDENTIFIER=keyturnd", "+", "_PID=1")
        return "\n".join("%.3f %s" % (moment(entry), entry["MESSAGE"]) for entry in entries)
