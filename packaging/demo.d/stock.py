"""The demo on a host as people have it: one unit, with the token on its command line."""

import time

from acts import RATE, SLOW_RATE, Demo
from follow import follow
from screen import number

from scenario import Layout, StockHost
from scenario.cloudflare import WRITE_TOKEN

UNIT = """\
[Unit]
Description=cloudflared
After=network-online.target
Wants=network-online.target

[Service]
TimeoutStartSec=15
Type=notify
ExecStart=/usr/bin/cloudflared --no-autoupdate tunnel run --token %(token)s
Restart=on-failure
RestartSec=5s

[Install]
WantedBy=multi-user.target
"""
NAME = "cloudflared.service"
PROMPTS = (("(it is not shown): ", WRITE_TOKEN + "\n"), ("Make these changes? [Y/n] ", "\n"))
UNATTENDED = ("setup", "--yes", "--api-token-file", "/root/api-token")
PATIENCE = 120.0


def stock_host(directory, build):
    """Return the host; nothing of keyturn is set up in it."""
    return StockHost(directory, build, Layout({NAME: UNIT}), time_scale="1.0",
                     rollout={"settle": "1s", "min_healthy_time": "2s", "healthy_deadline": "20s"})


class StockDemo(Demo):
    """Set up, rotate, and see that the old token is worth nothing."""

    claim = "The only connector uses the new token"

    def set_up(self, boot_seconds):
        """Show what is there, and start the traffic."""
        scenario, screen = self.scenario, self.screen
        screen.fact("host", "booted in %.1f s, with its own systemd, D-Bus, polkit and journal" %
                    boot_seconds)
        screen.fact("Cloudflare", "a model: API, edge and public side; it never repeats a request")
        screen.fact("cloudflared", "one unit, as `cloudflared service install` made it until 2026")
        self.old_token = scenario.cloudflare.current()["token"]
        shown = scenario.host.output("ps", "-C", "cloudflared", "-o", "args=", "-ww")
        screen.fact("its token", "every user sees it in ps: %s" % (
            "yes" if self.old_token in shown else "no"))
        self.before = scenario.units.invocations()
        scenario.traffic.start(rate=RATE, slow_rate=SLOW_RATE, slow_delay="2s")
        screen.fact("traffic", "%d requests a second, plus %d a second that take 2 s each" % (
            RATE, SLOW_RATE))
        scenario.journal.mark()
        self.began = time.monotonic()

    def play(self):
        """Bring the host in, then rotate."""
        self.expect(self.bring_in() == 0, "setup did not succeed")
        self.expect(self.rotate() == 0, "the rotation did not succeed")

    def bring_in(self):
        """Run `keyturnctl setup` as an operator does: paste the API token, and confirm."""
        arguments, answers = ("setup",), PROMPTS
        if not self.screen.terminal:
            self.scenario.put("/root/api-token", 0o600, WRITE_TOKEN)
            arguments, answers = UNATTENDED, ()
        return follow(self.scenario, self.screen, arguments, time.monotonic() + PATIENCE,
                      answers=answers)

    def verdict(self):
        """Count everything, say it, and return the exit status."""
        scenario, screen = self.scenario, self.screen
        took = time.monotonic() - self.began
        traffic = scenario.traffic.stop()
        screen.heading("Result")
        failed = number(traffic["failed"])
        screen.fact("requests", "%s served, %s failed" % (
            screen.bold(number(traffic["ok"])),
            screen.bold(screen.good(failed) if failed == "0" else failed)))
        screen.fact("time", "%.0f s from the stock unit to the new token" % took)
        screen.fact("pasted secrets", "1: the API token")
        screen.fact("edited files", "0")
        shown = scenario.host.output("ps", "-C", "cloudflared", "-o", "args=", "-ww")
        screen.fact("token in ps", "no" if "eyJ" not in shown else screen.bad("yes"))
        screen.fact("old token", 'a connector started with it is refused: "%s"' %
                    self.old_token_refusal())
        screen.way_to("all events", "journalctl --directory=%s -u keyturnd" % self.save_journal())
        marks = [item["fingerprints"] for item in scenario.cloudflare.connectors().values()]
        self.expect(traffic["failed"] == 0, "%s requests failed" % failed)
        self.expect(traffic["ok"] > 0, "no request was served")
        self.expect("eyJ" not in shown, "ps shows a token")
        self.expect(marks == [[scenario.cloudflare.fingerprint()]],
                    "the connector does not run with the new token")
        return self.say_verdict(number(traffic["ok"]))
