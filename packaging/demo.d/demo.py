"""The demo: one rotation in a test host, under traffic. Started by packaging/demo, as root."""

import argparse
import pathlib
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests/sandbox/scenario"))

from acts import Demo  # noqa: E402
from fleet import FleetDemo, fleet_of  # noqa: E402
from screen import Screen  # noqa: E402
from stock import StockDemo, stock_host  # noqa: E402

from scenario import Scenario  # noqa: E402
from scenario.places import REPOSITORY  # noqa: E402


def linger(scenario, screen):
    """Leave the host running until Ctrl-C."""
    testhost = (REPOSITORY / "tests/sandbox/host/testhost").relative_to(REPOSITORY)
    screen.heading("The test host is still running. Look around, then press Ctrl-C to stop it")
    for command in ("keyturnctl status web", "journalctl -u keyturnd", "bash"):
        screen.line("  sudo %s run %s --timeout 0 -- %s" % (
            testhost, scenario.host.directory, command))
    signal.pause()


def parse(words):
    """Return the options."""
    parser = argparse.ArgumentParser(prog="demo")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--soak", default="20s")
    parser.add_argument("--break", dest="broken", default="nothing",
                        choices=("nothing", "unit", "api", "token", "lead"))
    parser.add_argument("--hosts", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--journal", type=pathlib.Path, required=True)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args(words)


def show_stock(options, screen, directory):
    """Boot a stock host, bring it in, rotate, count."""
    screen.line(screen.bold("A stock cloudflared comes under keyturn, and its token is rotated"))
    started = time.monotonic()
    with stock_host(directory / "host", options.build) as host:
        demo = StockDemo(host, screen, options)
        demo.set_up(time.monotonic() - started)
        demo.play()
        status = demo.verdict()
        if options.keep:
            linger(host, screen)
        return status


def show_fleet(options, screen, directory):
    """Boot several hosts of one tunnel, rotate, count."""
    screen.line(screen.bold("keyturn rotates the token of a tunnel that runs on %d hosts" %
                            options.hosts))
    started = time.monotonic()
    with fleet_of(options, directory) as fleet:
        demo = FleetDemo(fleet, screen, options)
        demo.set_up(time.monotonic() - started)
        demo.play()
        status = demo.verdict()
        if options.keep:
            linger(next(iter(fleet.hosts.values())), screen)
        return status


def show(options, screen, directory):
    """Boot, play, count."""
    if options.hosts > 1:
        return show_fleet(options, screen, directory)
    if options.stock:
        return show_stock(options, screen, directory)
    screen.line(screen.bold("keyturn rotates the token of a tunnel under traffic"))
    started = time.monotonic()
    # Short stop and start timeouts make a connector that does not come back tell sooner.
    patience = {"start_timeout": "4", "stop_timeout": "6", "restart_pause": "2"}
    short = patience if options.broken == "unit" else {}
    with Scenario(directory / "host", build=options.build, **short) as scenario:
        scenario.keyturn.write_policy(rollout={
            "settle": "1s", "soak": options.soak, "min_healthy_time": "2s",
            "healthy_deadline": "10s"})
        scenario.keyturn.restart()
        demo = Demo(scenario, screen, options)
        demo.set_up(time.monotonic() - started)
        demo.play()
        status = demo.verdict()
        if options.keep:
            linger(scenario, screen)
        return status


def main():
    """Run the demo; always leave nothing behind."""
    def leave(*_):
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    screen = Screen()
    with tempfile.TemporaryDirectory(prefix="keyturn-demo-") as directory:
        try:
            return show(parse(sys.argv[1:]), screen, pathlib.Path(directory))
        except KeyboardInterrupt:
            screen.bottom("")
            screen.line("\nStopped by Ctrl-C. The test host is gone.")
            return 130


sys.exit(main())
