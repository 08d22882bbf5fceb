"""keyturn itself in a test host: installed from a build, with a policy and an API token."""

import functools
import json
import os
import re
import shutil
import subprocess

from scenario.cloudflare import ACCOUNT, API_URL, WRITE_TOKEN
from scenario.places import INSTALL
from scenario.waiting import wait_until

UNIT = "keyturnd.service"
POLICY = "/etc/keyturn/keyturn.yaml"
API_TOKEN = "/etc/keyturn/cloudflare-api-token"
STATE = "/var/lib/keyturn"
TOKEN = STATE + "/tokens/%s"
# Short enough for tests; everything else is as the policy's built-in values have it.
QUICK = {"settle": "200ms", "soak": "1s", "min_healthy_time": "500ms", "healthy_deadline": "10s",
         "progress_deadline": "10min"}
COPY_FILES = "cp -a --no-preserve=ownership /mnt/share/installed/. /"
# A machine that builds containers lets no package start a service.
INSTALL_PACKAGE = """
set -eu
rm -f /usr/sbin/policy-rc.d /var/lib/man-db/auto-update
DEBIAN_FRONTEND=noninteractive dpkg --install --force-unsafe-io "$1"
"""
CA_FILE = "/etc/keyturn/sandbox-ca.pem"
TRUST = """
set -eu
install -m 644 /mnt/share/certs/ca.pem %s
""" % CA_FILE
TRUST_AS_SYSTEM = """
set -eu
install -m 644 /mnt/share/certs/ca.pem /usr/local/share/ca-certificates/sandbox.crt
update-ca-certificates
"""
# What a lone token file needs, where no keyturn is installed.
INSTALL_STORE = """
set -eu
useradd --system --home-dir /var/lib/keyturn keyturn
install -d -o keyturn -g keyturn -m 700 /var/lib/keyturn /var/lib/keyturn/tokens
"""
PUT_TOKEN = """
set -eu
umask 077
cat >/var/lib/keyturn/tokens/.web.new
chown keyturn:keyturn /var/lib/keyturn/tokens/.web.new
mv /var/lib/keyturn/tokens/.web.new /var/lib/keyturn/tokens/web
"""
INSTALL_SURGE = """
set -eu
keyturnctl surge --yes web
"""
SURGE = "keyturn-surge@web.service"
PUT_FILE = 'umask 077 && cat >"$1" && chmod "$2" "$1"'


def policy_text(tunnel, rollout=None, units=None, account=ACCOUNT, defaults=None, drift=None,
                others=None, ca_file=CA_FILE, coordinator=None):
    """Return the policy of one tunnel, quick unless `rollout` says otherwise.

    `others`: name to id of other tunnels with the same policy. `ca_file`: None: the system's.
    """
    lines = [
        "version: 1",
        "cloudflare:",
        "  api_url: " + API_URL,
        *(["  ca_file: " + ca_file] if ca_file else []),
        "  credentials:",
        "    main: {credential: cloudflare-api-token}",
        "tunnels:"]
    values = {**(QUICK if defaults is None else defaults), **(rollout or {})}
    for name, number in {"web": tunnel, **(others or {})}.items():
        lines += [
            "  %s:" % name,
            "    account: " + account,
            "    tunnel: " + number,
            "    credential: main",
            "    units: " + json.dumps(units or ["cloudflared-%s@*.service" % name]),
            "    token: {store: keyturn}",
            "    rotate: {min_interval: 0}",
            "    drift: " + json.dumps(drift or {}),
            *(["    coordinator: " + json.dumps(coordinator)] if coordinator else []),
            "    rollout:"]
        lines += ["      %s: %s" % (key, json.dumps(value).strip('"'))
                  for key, value in values.items()]
    return "\n".join(lines) + "\n"


class Keyturn:
    """The daemon and its tool. What is about one tunnel is about "web" unless `of` says more."""

    def __init__(self, host, tunnel, others=None, system_ca=False):
        self._host = host
        self._system_ca = system_ca
        self._tunnel = tunnel
        self._others = dict(others or {})  # Name to id.
        self.rollout = dict(QUICK)  # Of the policy that was written last.

    def install(self, build):
        """Install a package or a build directory, with a policy and an API token."""
        self.install_files(build)
        self.write_api_token(WRITE_TOKEN)
        self.write_policy()

    def install_files(self, build):
        """Install a package, or a build directory with packaging/install."""
        if build.suffix == ".deb":
            self.install_package(build)
        else:
            self._install_directory(build)
        self._host.run("sh", "-c", TRUST_AS_SYSTEM if self._system_ca else TRUST)

    def install_package(self, package):
        """Install a package, also over another version; return what dpkg said."""
        shutil.copy(package, self._host.directory / "share" / package.name)
        return self._host.run("sh", "-c", INSTALL_PACKAGE, "install", "/mnt/share/" + package.name)

    def _install_directory(self, build):
        target = self._host.directory / "share" / "installed"
        subprocess.run([INSTALL, "copy", build], check=True,
                       env={**os.environ, "DESTDIR": str(target)}, stdout=subprocess.DEVNULL)
        self._host.run("sh", "-c", COPY_FILES)
        self._host.run(INSTALL, "register")

    def install_store(self):
        """Make only the user and the directories, for what is done without keyturn."""
        self._host.run("sh", "-c", INSTALL_STORE)

    def put_token(self, token):
        """Deliver a token by hand, whole."""
        self._host.run("sh", "-c", PUT_TOKEN, feed=token)

    def token(self, of="web"):
        """Return what the token file holds, '' where there is none."""
        return self._host.run("cat", TOKEN % of, check=False).stdout

    def kept_secrets(self):
        """Return the files in which the secrets of an open rotation are kept, '' for none."""
        return self._host.output("find", STATE + "/pending", "-ignore_readdir_race", "-type", "f")

    def write_api_token(self, token):
        """Put another API token in place; keyturnd sees it at its next start."""
        self._host.run("sh", "-c", PUT_FILE, "put", API_TOKEN, "600", feed=token)

    def write_policy(self, **changes):
        """Write a policy; keyturnd sees it at its next start or reload."""
        self.rollout = {**QUICK, **(changes.get("rollout") or {})}
        self.write_policy_text(policy_text(
            self._tunnel, others=self._others, **{
                "ca_file": None if self._system_ca else CA_FILE, **changes}))

    def write_policy_text(self, text):
        """Write any text as the policy."""
        self._host.run("sh", "-c", PUT_FILE, "put", POLICY, "644", feed=text)

    def start(self):
        """Start it, and wait until each tunnel's token file is there."""
        self._host.run("systemctl", "start", UNIT)
        for name in ("web", *self._others):
            wait_until(functools.partial(self.token, name),
                       "the token file of %s that keyturnd seeds" % name)

    def restart(self):
        """Restart it; it has to come up."""
        self._host.run("systemctl", "restart", UNIT)

    def stop(self):
        """Stop it."""
        self._host.run("systemctl", "stop", UNIT)

    def kill(self):
        """Send SIGKILL, as the kernel does when memory is short; systemd starts it again."""
        self._host.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", UNIT)

    def install_surge(self):
        """Make the unit of the extra connector as keyturnd(8) says."""
        self._host.run("sh", "-c", INSTALL_SURGE)

    def remove_surge(self):
        """Take it away again."""
        self._host.run("sh", "-c", "systemctl stop %s; rm -f /etc/systemd/system/%s; "
                       "systemctl daemon-reload" % (SURGE, SURGE))

    def forget(self):
        """Stop it, and remove all that it knows."""
        self._host.run("sh", "-c", "systemctl stop keyturnd; systemctl reset-failed keyturnd; "
                       "cd /var/lib/keyturn && find . -mindepth 1 ! -type d -delete")

    def ctl(self, *arguments, user=None, check=False):
        """Run keyturnctl, and return the finished process."""
        return self._host.run("keyturnctl", *arguments, user=user, check=check)

    def rotate(self, *options, of="web"):
        """Ask for a rotation, and return at once."""
        return self.ctl("rotate", of, *options, check=True)

    def status(self, of="web"):
        """Return the tunnel's status; {} while keyturnd does not answer."""
        done = self.ctl("status", of, "--json")
        return json.loads(done.stdout)["tunnels"][0] if done.stdout.startswith("{") else {}

    def wait_status(self, seconds=30.0, of="web", **wanted):
        """Wait until the status has these values, and return it."""
        last = {}

        def matches():
            nonlocal last
            last = self.status(of)
            return last and all(last.get(key) == value for key, value in wanted.items())
        wait_until(matches, lambda: "%s of %s; the status is %s" % (wanted, of, last), seconds, 0.1)
        return last

    def wait_done(self, seconds=60.0, outcome="done", of="web"):
        """Wait for the end of a rotation that was accepted, and return the status."""
        return self.wait_status(seconds, of, state="idle", last_outcome=outcome, phase=None)

    def main_pid(self):
        """Return the process id of keyturnd as the host sees it; 0: not running."""
        text = self._host.output("systemctl", "show", UNIT, "--property=MainPID")
        return int(re.search(r"\d+", text).group())
