"""What happens in the demo, act by act."""

import os
import re
import shutil
import time

from follow import follow
from screen import number, traffic_text

from scenario import wait_until
from scenario.cloudflare import READ_TOKEN, WRITE_TOKEN

FIRST = "cloudflared-web@1.service"
RATE, SLOW_RATE = 200, 10
EXIT_DONE, EXIT_HELD, EXIT_REFUSED = 0, 3, 4
OUTAGE_SECONDS = 6.0
WATCHED_SECONDS = 4.0
# Beyond the soak, for everything else of a rotation.
PATIENCE = 180.0
UNREACHABLE_EDGE = "[Service]\nEnvironment=TUNNEL_EDGE=127.0.0.1:1\n"
SAVE_JOURNAL = """
journalctl --sync
for folder in /var/log/journal /run/log/journal; do
    [ ! -d $folder ] || cp -r $folder /mnt/share/
done
"""
OLD_TOKEN = "umask 077 && cat >/run/old-token"


def seconds_of(text):
    """Return the seconds of a time as the policy takes it: 20s, 10m."""
    number_of, unit = re.fullmatch(r"(\d+)(ms|s|m|min|h)", text).groups()
    return int(number_of) * {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600}[unit]


class Demo:
    """The acts of the demo; every check that fails is remembered and said."""

    claim = "Both connectors use the new token"

    def __init__(self, scenario, screen, options):
        self.scenario = scenario
        self.screen = screen
        self.options = options
        self.wrong = []
        self.old_token = ""
        self.before = {}
        self.healed_at = None

    def expect(self, true, sentence):
        """Remember what is not as it should be."""
        if not true:
            self.wrong.append(sentence)

    def set_up(self, boot_seconds):
        """Show what is there, and start the traffic."""
        scenario, screen = self.scenario, self.screen
        screen.fact("host", "booted in %.1f s, with its own systemd, D-Bus, polkit and journal" %
                    boot_seconds)
        screen.fact("Cloudflare", "a model: API, edge and public side; it never repeats a request")
        screen.fact("keyturnd", "installed by `cmake --install`; user keyturn, no privileges")
        for unit in scenario.units.names:
            connections = scenario.units.ready(unit)
            screen.fact(unit.removesuffix(".service"), "%d connections" % connections)
        self.old_token = scenario.keyturn.token()
        self.before = scenario.units.invocations()
        scenario.traffic.start(rate=RATE, slow_rate=SLOW_RATE, slow_delay="2s")
        screen.fact("traffic", "%d requests a second, plus %d a second that take 2 s each" % (
            RATE, SLOW_RATE))
        scenario.journal.mark()

    def follow(self, *arguments, every_tick=lambda: None):
        """Let keyturnctl show something; return its exit status."""
        deadline = time.monotonic() + seconds_of(self.options.soak) + PATIENCE
        return follow(self.scenario, self.screen, arguments, deadline, every_tick)

    def rotate(self, **how):
        """Rotate, and return keyturnctl's exit status."""
        return self.follow("rotate", "web", "--reason", "demo", "--follow", **how)

    def play(self):
        """Play the act that was asked for."""
        acts = {"nothing": self.rotate_undisturbed, "unit": self.break_unit, "api": self.break_api,
                "token": self.break_token}
        acts[self.options.broken]()

    def rotate_undisturbed(self):
        """Rotate while everything works."""
        self.expect(self.rotate() == EXIT_DONE, "the rotation did not succeed")

    def break_unit(self):
        """Let the first connector fail to come back; show the hold, fix it, retry."""
        scenario, screen = self.scenario, self.screen
        screen.heading("Broken on purpose: %s cannot reach Cloudflare after its restart" % FIRST)
        scenario.units.drop_in("broken", UNREACHABLE_EDGE, unit=FIRST)
        self.expect(self.rotate() == EXIT_HELD, "the rotation was not held")
        other = scenario.units.names[1]
        untouched = scenario.units.invocations()[other] == self.before[other]
        self.expect(untouched, "%s was restarted although the first did not come back" % other)
        self.watch("The rotation is held. The other connector serves all the traffic:")
        screen.heading("Fixed: %s can reach Cloudflare again" % FIRST)
        scenario.units.drop_in("broken", "", unit=FIRST)
        self.expect(self.follow("retry", "web", "--follow") == EXIT_DONE,
                    "the retry did not succeed")

    def break_api(self):
        """Let the API take the secret, not answer, and fail for some seconds."""
        self.screen.heading("Broken on purpose: the API accepts the secret, closes the connection "
                            "without an answer,\nand then fails for %d s" % OUTAGE_SECONDS)
        self.scenario.cloudflare.fault("apply-close", method="PATCH", times=1)
        # Before the PATCH are the token, the tunnel and its connectors, and the token once more.
        self.scenario.cloudflare.fault("status", status=503, method="GET", after=4)
        self.expect(self.rotate(every_tick=self.outage) == EXIT_DONE,
                    "the rotation did not succeed")
        self.expect(self.scenario.journal.events("rotation_waiting"), "the rotation did not wait")
        self.expect(self.scenario.journal.events("rotation_continued"), "it did not continue")

    def outage(self):
        """End the outage some seconds after keyturn has met it."""
        if self.healed_at is None and self.scenario.keyturn.status().get("state") == "waiting":
            self.healed_at = time.monotonic() + OUTAGE_SECONDS
        elif self.healed_at is not None and 0 < self.healed_at < time.monotonic():
            self.scenario.cloudflare.heal()
            self.healed_at = 0.0

    def break_token(self):
        """Give keyturnd an API token that may only read; then the right one."""
        scenario, screen = self.scenario, self.screen
        screen.heading("Broken on purpose: the API token may only read")
        scenario.keyturn.write_api_token(READ_TOKEN)
        scenario.keyturn.restart()
        mark = scenario.cloudflare.fingerprint()
        self.expect(self.rotate() == EXIT_REFUSED, "the rotation was not refused")
        untouched = (scenario.cloudflare.fingerprint() == mark and
                     scenario.keyturn.token() == self.old_token and
                     scenario.units.invocations() == self.before)
        self.expect(untouched, "a refused rotation has touched something")
        screen.line("  Secret, token file and units are unchanged: %s" %
                    (screen.good("yes") if untouched else screen.bad("no")))
        screen.heading("Fixed: the API token may write")
        scenario.keyturn.write_api_token(WRITE_TOKEN)
        scenario.keyturn.restart()
        self.expect(self.rotate() == EXIT_DONE, "the rotation did not succeed")

    def watch(self, sentence):
        """Show the traffic for a while."""
        self.screen.line("\n" + sentence)
        end = time.monotonic() + WATCHED_SECONDS
        while time.monotonic() < end:
            self.screen.bottom(traffic_text(self.screen, self.scenario.traffic.status()))
            time.sleep(0.25)
        self.screen.bottom("")
        self.screen.line(traffic_text(self.screen, self.scenario.traffic.status()))

    def old_token_refusal(self):
        """Start a connector by hand with the old token; return what the edge says to it."""
        scenario = self.scenario
        since = time.time()
        scenario.host.run("sh", "-c", OLD_TOKEN, feed=self.old_token)
        scenario.host.run("systemd-run", "--quiet", "--collect", "--unit=old-token", "cloudflared",
                          "--no-autoupdate", "tunnel", "run", "--token-file", "/run/old-token")

        def refused():
            return scenario.cloudflare.events("registrations_refused", since)
        said = wait_until(refused, "the edge to refuse the old token")[0]["error"]
        scenario.host.run("systemctl", "kill", "--signal=KILL", "old-token", check=False)
        return said

    def save_journal(self):
        """Copy the host's journal out of it, and return where it is, as a user types it."""
        target = self.options.journal
        shutil.rmtree(target, ignore_errors=True)
        self.scenario.host.run("sh", "-c", SAVE_JOURNAL)
        shutil.move(self.scenario.host.directory / "share" / "journal", target)
        return os.path.relpath(target)

    def verdict(self):
        """Count everything, say it, and return the exit status."""
        scenario, screen = self.scenario, self.screen
        traffic = scenario.traffic.stop()
        screen.heading("Result")
        served, failed = number(traffic["ok"]), number(traffic["failed"])
        screen.fact("requests", "%s served, %s failed" % (
            screen.bold(served), screen.bold(screen.good(failed) if failed == "0" else failed)))
        restarts = [entry["TARGET_UNIT"] for entry in scenario.journal.events("unit_restarting")]
        screen.fact("restarts", ", ".join(restarts))
        changes = len(scenario.cloudflare.tunnel_state()["fingerprints"]) - 1
        screen.fact("secrets made", str(changes))
        delivered = scenario.journal.events("token_delivered")[-1]["MESSAGE"]
        window = re.search(r"(\d+) us after", delivered)
        if window:
            screen.fact("dead-token window", "%.1f ms from Cloudflare's answer to the new file" %
                        (int(window.group(1)) / 1000))
        screen.fact("old token", 'a connector started with it is refused: "%s"' %
                    self.old_token_refusal())
        screen.way_to("all events", "journalctl --directory=%s -u keyturnd ROTATION_ID=%s" % (
            self.save_journal(), scenario.keyturn.status()["rotation_id"]))
        marks = [item["fingerprints"] for item in scenario.cloudflare.connectors().values()]
        self.expect(traffic["failed"] == 0, "%s requests failed" % failed)
        self.expect(traffic["ok"] > 0, "no request was served")
        self.expect(changes == 1, "one rotation made %d secrets" % changes)
        self.expect(set(restarts) == set(scenario.units.names), "not every unit was restarted")
        self.expect(marks == [[scenario.cloudflare.fingerprint()]] * len(scenario.units.names),
                    "not every connector runs with the new token")
        return self.say_verdict(served)

    def say_verdict(self, served):
        """Write the last line; return the exit status."""
        if self.wrong:
            sentences = "; ".join(self.wrong)
            self.screen.line("\n" + self.screen.bad("Failed: " + sentences))
            return 1
        self.screen.line("\n%s %s, and all %s requests were served." % (
            self.screen.good("OK."), self.claim, served))
        return 0
