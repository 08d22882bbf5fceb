"""The connectors of a test host: systemd units of the stand-in, or of another cloudflared."""

import re
import shutil

from scenario.places import EXAMPLE_UNIT, STAND_IN
from scenario.waiting import wait_until

FULL = 4
INSTALL = """
set -eu
if [ -d /mnt/share/cloudflared ]; then
    cp -rT /mnt/share/cloudflared /usr/local/lib/cloudflared-stand-in
    /usr/bin/python3 -m compileall -q /usr/local/lib/cloudflared-stand-in
    ln -sf /usr/local/lib/cloudflared-stand-in/cloudflared /usr/bin/cloudflared
else
    install -m 755 /mnt/share/cloudflared /usr/bin/cloudflared
fi
sed "s,/tokens/web$,/tokens/$2," "$1" >"/etc/systemd/system/cloudflared-$2@.service"
"""


class Units:
    """cloudflared-web@1.service and so on, as config/examples has them, with a drop-in.

    Those of another tunnel are the same with its name in the place of "web".
    """

    def __init__(self, host, cloudflare, journal, count):
        self._host = host
        self._cloudflare = cloudflare
        self._journal = journal
        self._template = "cloudflared-%s@.service" % cloudflare.name
        self.names = [self._template.replace("@", "@%d" % (i + 1)) for i in range(count)]

    def install(self, binary=STAND_IN):
        """Install connector and unit; nothing is started."""
        target = self._host.directory / "share" / "cloudflared"
        if binary == STAND_IN:
            shutil.copytree(binary.parent, target, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(binary, target)
        self._host.run("sh", "-c", INSTALL, "install", EXAMPLE_UNIT, self._cloudflare.name)

    def drop_in(self, name, text, unit=None):
        """Write (or, without a text, remove) a drop-in of one unit or of all, and load it."""
        folder = "/etc/systemd/system/%s.d" % (unit or self._template)
        if text:
            script = 'mkdir -p "$1" && printf "%s" "$3" >"$1/$2.conf"'
        else:
            script = 'rm -f "$1/$2.conf"'
        self._host.run("sh", "-c", script + " && systemctl daemon-reload", "drop-in", folder, name,
                       text)

    def clear_drop_ins(self, keep):
        """Remove every drop-in but one kind, of the other tunnels' units, too."""
        self._host.run("sh", "-c", 'cd /etc/systemd/system && find . -path "./cloudflared*.d/*" '
                       '! -name "$1.conf" -delete && systemctl daemon-reload', "clear", keep)

    def start(self):
        """Start all, and wait until each has all its connections."""
        self._host.run("systemctl", "start", *self.names)
        self.wait_full()

    def restart(self):
        """Restart all, whatever they do, and wait until each has all its connections."""
        self._host.run("systemctl", "restart", *self.names)
        self.wait_full()

    def healthy(self):
        """Return whether exactly these are connected, all of them with the token that is valid."""
        state = self._cloudflare.tunnel_state()
        right = all(item["fingerprints"] == [state["fingerprint"]] for item in state["connectors"])
        active = all(self.show(unit, "SubState")["SubState"] == "running" for unit in self.names)
        return right and active and self.full()

    def show(self, unit, *properties):
        """Return properties of a unit."""
        text = self._host.run("systemctl", "show", unit, *("-p" + name for name in properties))
        return dict(line.split("=", 1) for line in text.stdout.splitlines())

    def invocations(self):
        """Return the InvocationID of each unit."""
        return {unit: self.show(unit, "InvocationID")["InvocationID"] for unit in self.names}

    def _logged(self, unit, pattern):
        invocation = self.show(unit, "InvocationID")["InvocationID"]
        entries = self._journal.read("_SYSTEMD_INVOCATION_ID=" + invocation, everything=True)
        texts = (entry["MESSAGE"] for entry in entries if isinstance(entry["MESSAGE"], str))
        found = [match for match in map(re.compile(pattern).search, texts) if match]
        return found[-1].group(1) if found else None

    def connector(self, unit):
        """Return the id of the unit's present connector."""
        return wait_until(lambda: self._logged(unit, r"Generated Connector ID: (\S+)"),
                          "the connector id of " + unit)

    def ready(self, unit):
        """Return readyConnections of the unit's present process as its /ready says; -1: none."""
        address = self._logged(unit, r"Starting metrics server on ([0-9.:]+)/metrics")
        if address is None:
            return -1
        answer = self._host.run("curl", "--silent", "--max-time", "2", "http://%s/ready" % address,
                                check=False).stdout
        found = re.search(r'"readyConnections":(\d+)', answer)
        return int(found.group(1)) if found else -1

    def wait_ready(self, unit, connections=FULL, seconds=20.0):
        """Wait until the unit's own /ready says so many connections."""
        wait_until(lambda: self.ready(unit) >= connections,
                   "%d connections of %s" % (connections, unit), seconds)

    def full(self, count=None):
        """Return whether the edge has so many connectors (all), each with all its connections."""
        wanted = len(self.names) if count is None else count
        connectors = self._cloudflare.connectors().values()
        return sum(item["live"] >= FULL for item in connectors) == wanted == len(connectors)

    def wait_full(self, count=None, seconds=30.0):
        """Wait until they are `full`."""
        wait_until(lambda: self.full(count), lambda: "%s full connectors; the edge has %s" % (
            count or "all", list(self._cloudflare.connectors().values())), seconds)
