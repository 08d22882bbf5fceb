"""What the policy has promised. A rule that needs a value which nobody gave is not applied."""

import dataclasses
import re

_UNITS = {"us": 1, "ms": 10**3, "s": 10**6, "min": 60 * 10**6, "m": 60 * 10**6, "h": 3600 * 10**6,
          "d": 86400 * 10**6, "w": 7 * 86400 * 10**6}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|min|m|h|d|w)")


class Wrong(Exception):
    """A word of the policy cannot be read."""


def microseconds(text):
    """Read a duration as the policy file has it: 90s, 1h 30min, 0."""
    if text == "0":
        return 0
    if not re.fullmatch(r"(%s\s*)+" % _PART.pattern, text):
        raise Wrong("%r is no duration" % text)
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def _yes(text):
    if text not in ("yes", "no", "true", "false"):
        raise Wrong("%r is neither yes nor no" % text)
    return text in ("yes", "true")


@dataclasses.dataclass
class Policy:
    """Durations are in microseconds; None: not told."""

    soak: int | None = None
    soak_min: int | None = None  # It may end so early.
    min_healthy_time: int | None = None
    settle: int | None = None
    min_interval: int | None = None
    batches: int | None = None
    canary: bool = False
    units: tuple = ()
    surge: str = ""           # auto or never
    restart: str = ""         # drift: {restart: never}: a stranger's token is delivered only.
    disk_fails: bool = False  # A hold may not get there.
    ends: bool = False        # At the end of the record nothing is open.
    slack: int = 250 * 10**3  # How much too short a time may look: entries take a while to arrive.

    def with_words(self, words):
        """Return this policy with KEY=VALUE words taken in."""
        values = {}
        for word in words:
            key, equals, text = word.partition("=")
            if not equals or key not in _READERS:
                raise Wrong("%r: not one of %s" % (word, ", ".join(k + "=" for k in _READERS)))
            values[key] = _READERS[key](text)
        return dataclasses.replace(self, **values)

    @property
    def shortest_soak(self):
        """How long a soak lasts at least."""
        return self.soak if None in (self.soak, self.soak_min) else min(self.soak, self.soak_min)

    def too_short(self, duration, least):
        """Return whether a measured time is less than was promised, by more than the slack."""
        return least is not None and duration + self.slack < least


def _number(text):
    if not text.isdecimal():
        raise Wrong("%r is no number" % text)
    return int(text)


_READERS = {"soak": microseconds, "soak_min": microseconds, "min_healthy_time": microseconds,
            "settle": microseconds, "min_interval": microseconds, "batches": _number,
            "canary": _yes, "units": lambda text: tuple(filter(None, text.split(","))),
            "surge": str, "restart": str, "ends": _yes, "disk_fails": _yes, "slack": microseconds}
