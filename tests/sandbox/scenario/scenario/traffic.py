"""Steady traffic through the tunnel, from inside the test host."""

import json

from scenario.cloudflare import PUBLIC
from scenario.places import TRAFFIC
from scenario.waiting import wait_until

UNIT = "traffic.service"
SETTLED_REQUESTS = 20
STOP_PATIENCE = 30.0


class Traffic:
    """One run of the load generator."""

    def __init__(self, host, hostname):
        self._host = host
        self._hostname = hostname
        self._lines = host.directory / "share" / "traffic.jsonl"
        self._summary = host.directory / "share" / "traffic-summary.json"

    def start(self, rate=200, slow_rate=20, slow_delay="2s"):
        """Start it, and return when the first requests have been answered."""
        self._summary.unlink(missing_ok=True)
        self._lines.unlink(missing_ok=True)
        self._host.run(
            "systemd-run", "--quiet", "--collect", "--unit=" + UNIT, TRAFFIC,
            "--url", "http://%s/" % PUBLIC, "--host", self._hostname, "--rate", str(rate),
            "--slow-rate", str(slow_rate), "--slow-delay", slow_delay,
            "--output", "/mnt/share/" + self._lines.name,
            "--summary", "/mnt/share/" + self._summary.name)
        wait_until(lambda: self.status().get("sent", 0) >= SETTLED_REQUESTS, "traffic")
        return self

    def status(self):
        """Return the newest line of counts, at most a second old; {} before the first."""
        try:
            lines = self._lines.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return {}
        whole = [line for line in lines[-2:] if line.endswith("\n")]
        return json.loads(whole[-1]) if whole else {}

    def stop(self):
        """Stop sending, wait for the answers that are out, and return the summary."""
        self._host.run("systemctl", "stop", UNIT)
        wait_until(self._summary.exists, "the summary of the traffic", STOP_PATIENCE)
        return json.loads(self._summary.read_text(encoding="utf-8"))

    def abandon(self):
        """End what a test that has failed left running, so that the next one can start its own."""
        self._host.run("systemctl", "stop", UNIT, check=False)
