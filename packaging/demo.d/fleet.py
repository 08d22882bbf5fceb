"""The demo on several hosts: one tunnel, one unit on each host, a bucket between them."""

import json
import time

from acts import RATE, SLOW_RATE, seconds_of
from screen import number, traffic_text

from scenario import Fleet, event_name, wait_until

NAMES = ("alpha", "beta", "gamma")
# The hosts look at the shared object more often than they ship to, so that the demo is short.
FLEET_SCALE = 0.1
PATIENCE = 240.0
DOWN = "systemctl kill --signal=KILL keyturnd; systemctl stop keyturnd"


def fleet_of(options, directory):
    """Return the hosts, not booted yet."""
    return Fleet(directory / "fleet", options.build, names=NAMES[:options.hosts], time_scale=1.0,
                 fleet_scale=FLEET_SCALE, rollout={
                     "settle": "1s", "soak": options.soak, "min_healthy_time": "2s",
                     "healthy_deadline": "10s"})


class FleetDemo:
    """A rotation over all hosts, and what every host says about it."""

    def __init__(self, fleet, screen, options):
        self.fleet = fleet
        self.screen = screen
        self.options = options
        self.wrong = []
        self._shown = {name: 0 for name in fleet.hosts}
        self._lead = ""
        self._down = ""

    def set_up(self, boot_seconds):
        """Show what is there, and start the traffic."""
        fleet, screen = self.fleet, self.screen
        screen.fact("hosts", "%s, booted in %.1f s, each with its own systemd and network" % (
            ", ".join(fleet.hosts), boot_seconds))
        screen.fact("outside", "models of Cloudflare and of a bucket")
        screen.fact("units", "cloudflared-web@1.service on each host")
        wait_until(lambda: "no unit" not in fleet.status(), "every host to report its unit", 60)
        screen.command("keyturnctl fleet status web")
        screen.raw(fleet.status())
        for host in fleet.hosts.values():
            host.journal.mark()
        fleet.traffic.start(rate=RATE, slow_rate=SLOW_RATE, slow_delay="2s")
        screen.fact("traffic", "%d requests a second, plus %d a second that take 2 s each" % (
            RATE, SLOW_RATE))

    def _tell(self):
        """Show what the hosts have said since the last time, with their names in front."""
        for name, host in self.fleet.hosts.items():
            events = host.journal.events()
            for entry in events[self._shown[name]:]:
                self.screen.line("  %-8s %s" % (self.screen.bold(name), entry["MESSAGE"]))
                if event_name(entry) == "unit_restarting":
                    self._break(name)
            self._shown[name] = len(events)
        self.screen.bottom(traffic_text(self.screen, self.fleet.traffic.status()))

    def _break(self, lead):
        """Kill the lead once, while a unit restarts, and keep it down."""
        if self.options.broken != "lead" or self._lead:
            return
        self._lead = self._down = lead
        self.screen.heading("Broken on purpose: keyturnd on %s, which leads, is killed" % lead)
        self.fleet[lead].host.run("sh", "-c", DOWN)

    def _mend(self):
        """Start the killed keyturnd again once another host leads."""
        if not self._down:
            return
        other = next(name for name in self.fleet.hosts if name != self._down)
        found = self.fleet.open_rotation(other)[0]
        if found and found != self._down:
            self.screen.heading("%s leads now; keyturnd on %s starts again" % (found, self._down))
            self.fleet[self._down].host.run("systemctl", "start", "keyturnd")
            self._down = ""

    def play(self):
        """Ask the second host, and show what all say until no host knows of a rotation."""
        asked = list(self.fleet.hosts)[1]
        self.screen.command("keyturnctl rotate web     # on %s" % asked)
        before = self.fleet.cloudflare.fingerprint()
        self.fleet[asked].keyturn.ctl("rotate", "web", "--reason", "demo", check=True)
        deadline = time.monotonic() + seconds_of(self.options.soak) * self.options.hosts + PATIENCE
        while time.monotonic() < deadline:
            self._tell()
            self._mend()
            changed = self.fleet.cloudflare.fingerprint() != before
            if changed and not self._down and self.fleet.idle():
                break
            time.sleep(0.3)
        else:
            self.wrong.append("the rotation did not end")
        self._tell()
        self.screen.bottom("")

    def _count(self):
        """Return what the traffic and the model of Cloudflare say."""
        traffic = self.fleet.traffic.stop()
        wait_until(self.fleet.full, "every unit to be connected", 60)
        marks = [item["fingerprints"] for item in self.fleet.cloudflare.connectors().values()]
        now = self.fleet.cloudflare.fingerprint()
        secrets = len(self.fleet.cloudflare.tunnel_state()["fingerprints"]) - 1
        for true, sentence in (
                (traffic["failed"] == 0, "%d requests failed" % traffic["failed"]),
                (traffic["ok"] > 0, "no request was served"),
                (secrets == 1, "one rotation made %d secrets" % secrets),
                (self.fleet.delivered(), "a token file does not hold the new token"),
                (marks == [[now]] * len(self.fleet.hosts), "a connector has an old token"),
                (self.options.broken != "lead" or self._lead, "no lead was killed")):
            if not true:
                self.wrong.append(sentence)
        return traffic, secrets

    def verdict(self):
        """Count everything, say it, and return the exit status."""
        traffic, secrets = self._count()
        screen = self.screen
        screen.heading("Result")
        screen.fact("requests", "%s served, %s failed" % (
            number(traffic["ok"]), number(traffic["failed"])))
        screen.fact("secrets made", str(secrets))
        calls = json.loads(self.fleet.store.control("GET", "/calls"))
        screen.fact("bucket calls", "%d since the hosts began" % len(calls))
        if self.wrong:
            screen.line("\n" + screen.bad("Failed: " + "; ".join(self.wrong)))
            return 1
        screen.line("\n%s The units of all hosts use the new token, and all %s requests were "
                    "served." % (screen.good("OK."), number(traffic["ok"])))
        return 0
