"""Counts outcomes, and writes them as one line of JSON per second and one at the end."""

import collections
import json
import os

GOOD = ("200",)


def percentile(values, fraction):
    """Return the value below which this fraction of the sorted values lies, in milliseconds."""
    if not values:
        return None
    return round(values[min(len(values) - 1, int(len(values) * fraction))] * 1000, 2)


class Tally:
    """The counts of one class of requests."""

    def __init__(self):
        self.sent = 0
        self.ok = 0
        self.failed = collections.Counter()
        self.latencies = []

    def value(self, latencies):
        """Return the counts, with the percentiles of these latencies (in seconds)."""
        ordered = sorted(latencies)
        return {"sent": self.sent, "ok": self.ok, "failed": sum(self.failed.values()),
                "failed_by": dict(self.failed), "p50_ms": percentile(ordered, 0.5),
                "p99_ms": percentile(ordered, 0.99)}


class Report:
    """Everything that is written about a run."""

    def __init__(self, classes, output, wall_clock):
        self._tallies = {name: Tally() for name in classes}
        self._output = output
        self._wall_clock = wall_clock
        self._started = wall_clock()
        self._last = {name: 0 for name in classes}
        self.failures = []
        self.latest_start = 0.0

    def sent(self, name, late):
        """Count a request; `late` is how long after its time it left."""
        self._tallies[name].sent += 1
        self.latest_start = max(self.latest_start, late)

    def finished(self, name, outcome, latency):
        """Count the outcome of a request."""
        tally = self._tallies[name]
        tally.latencies.append(latency)
        if outcome in GOOD:
            tally.ok += 1
            return
        tally.failed[outcome] += 1
        now = self._wall_clock()
        self.failures.append({
            "class": name, "status": outcome, "sent_at_ms": round((now - latency) * 1000),
            "failed_at_ms": round(now * 1000), "latency_ms": round(latency * 1000, 2)})

    def _totals(self):
        tallies = self._tallies.values()
        failed = sum((tally.failed for tally in tallies), collections.Counter())
        sent, ok = sum(tally.sent for tally in tallies), sum(tally.ok for tally in tallies)
        return {"sent": sent, "ok": ok, "failed": sum(failed.values()), "failed_by": dict(failed),
                "in_flight": sent - ok - sum(failed.values())}

    def write_status(self):
        """Write one status line; its percentiles are those of the last second."""
        classes = {}
        for name, tally in self._tallies.items():
            classes[name] = tally.value(tally.latencies[self._last[name]:])
            self._last[name] = len(tally.latencies)
        self._write({"type": "status", "at_ms": round(self._wall_clock() * 1000),
                     **self._totals(), "classes": classes})

    def write_summary(self, path):
        """Write the last line, and the same to a file of its own where `path` is given."""
        now = self._wall_clock()
        value = {"type": "summary", "started_at_ms": round(self._started * 1000),
                 "ended_at_ms": round(now * 1000), "seconds": round(now - self._started, 3),
                 **self._totals(), "latest_start_ms": round(self.latest_start * 1000, 2),
                 "classes": {name: tally.value(tally.latencies)
                             for name, tally in self._tallies.items()},
                 "failures": self.failures}
        self._write(value)
        if path:
            with open(path + ".tmp", "w", encoding="utf-8") as file:
                json.dump(value, file)
            os.replace(path + ".tmp", path)

    def _write(self, value):
        self._output.write(json.dumps(value) + "\n")
        self._output.flush()
