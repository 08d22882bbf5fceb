"""The program: an open loop of requests at a stated rate, one attempt each."""

import argparse
import asyncio
import signal
import sys
import time
from urllib.parse import urlsplit

from connector import http1
from load.client import Client
from load.report import Report

FAST = "fast"
SLOW = "slow"
SPARE_CONNECTIONS = 8
MAX_PAUSE = 0.2


def parse_seconds(text):
    """Return the seconds of `2`, `2s`, `200ms` or `1m`."""
    for suffix, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("", 1.0)):
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    raise ValueError(text)


def parse_arguments(words):
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="traffic", description="Sends requests at a fixed rate and counts every outcome. "
        "Ends after --duration or at SIGTERM, once all answers are in.")
    parser.add_argument("--url", required=True, help="http://HOST:PORT/PATH of the public listener")
    parser.add_argument("--host", default="", help="value of the Host header")
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--slow-rate", type=float, default=0.0, help="slow requests per second")
    parser.add_argument("--slow-delay", default="2s", help="how long a slow request takes")
    parser.add_argument("--duration", type=parse_seconds, default=None, help="for example 10s")
    parser.add_argument("--timeout", type=parse_seconds, default=60.0, help="for one request")
    parser.add_argument("--output", default="-", help="file for the JSON lines (default: stdout)")
    parser.add_argument("--summary", default="", help="a file for the last line alone")
    return parser.parse_args(words)


class Generator:
    """Sends the requests of all classes, each at its own rate."""

    def __init__(self, arguments, output):
        url = urlsplit(arguments.url)
        path = url.path or "/"
        headers = [("host", arguments.host or url.netloc), ("user-agent", "keyturn-traffic")]
        self._client = Client(url.hostname, url.port or 80, arguments.timeout)
        self._plans = {FAST: (arguments.rate, http1.request_bytes("GET", path, headers))}
        if arguments.slow_rate > 0:
            slow = "%s?delay=%s" % (path, arguments.slow_delay)
            self._plans[SLOW] = (arguments.slow_rate, http1.request_bytes("GET", slow, headers))
        self._spare = SPARE_CONNECTIONS + round(
            arguments.slow_rate * parse_seconds(arguments.slow_delay) * 1.2)
        self._report = Report(self._plans, output, time.time)
        self._arguments = arguments
        self._stopped = asyncio.Event()
        self._pending = set()

    async def run(self):
        """Send until the end, wait for all answers, and write the summary."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        await self._client.warm_up(self._spare)
        if self._arguments.duration is not None:
            loop.call_later(self._arguments.duration, self._stopped.set)
        status = loop.create_task(self._write_status())
        await asyncio.gather(*(self._send_class(name) for name in self._plans))
        if self._pending:
            await asyncio.wait(self._pending)
        status.cancel()
        self._report.write_summary(self._arguments.summary)

    async def _send_class(self, name):
        """Start one request after the other at their times, however long the answers take."""
        rate, data = self._plans[name]
        if rate <= 0:
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        number = 0
        while not self._stopped.is_set():
            due = started + number / rate
            if not await self._wait_until(due):
                return
            self._report.sent(name, loop.time() - due)
            task = loop.create_task(self._send_one(name, data))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)
            number += 1

    async def _wait_until(self, due):
        """Wait for a time; return whether the run still goes on then."""
        while not self._stopped.is_set():
            left = due - asyncio.get_running_loop().time()
            if left <= 0:
                return True
            await asyncio.sleep(min(left, MAX_PAUSE))
        return False

    async def _send_one(self, name, data):
        started = time.monotonic()
        outcome = await self._client.request(data)
        self._report.finished(name, outcome, time.monotonic() - started)

    async def _write_status(self):
        while True:
            await asyncio.sleep(1.0)
            self._report.write_status()


async def _run(arguments, output):
    await Generator(arguments, output).run()


def main(words):
    """Run the command line `words` and return the exit status."""
    arguments = parse_arguments(words)
    try:
        if arguments.output == "-":
            asyncio.run(_run(arguments, sys.stdout))
        else:
            with open(arguments.output, "w", encoding="utf-8") as output:
                asyncio.run(_run(arguments, output))
    except OSError as error:
        print("traffic: %s" % error, file=sys.stderr)
        return 1
    return 0
