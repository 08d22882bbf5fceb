"""The promises of the policy. A rule is not applied if it needs a value that was not given."""

import dataclasses
import re

_UNITS = {"us": 1, "ms": 10**3, "s": 10**6, "min": 60 * 10**6, "m": 60 * 10**6, "h": 3600 * 10**6,
          "d": 86400 * 10**6, "w": 7 * 86400 * 10**6}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|s|min|m|h|d|w)")


class Wrong(Exception):
    """A word of the policy is invalid."""


def microseconds(text):
    """Read a duration in the notation of the policy file: 90s, 1h 30min, 0."""
    if text == "0":
        return 0
    if not re.fullmatch(r"(%s\s*)+" % _PART.pattern, text):
        raise Wrong("%r is not a duration" % text)
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def _yes(text):
    if text not in ("yes", "no", "true", "false"):
        raise Wrong("%r is neither yes nor no" % text)
    return text in ("yes", "true")


@dataclasses.dataclass
class Policy:
    """Durations are in microseconds; None means that it was not given."""

    soak: int | None = None
    soak_min: int | None = None  # A soak may end this early.
    min_healthy_time: int | None = None
    settle: int | None = None
    min_interval: int | None = None
    batches: int | None = None
    canary: bool = False
    units: tuple = ()
    surge: str = ""           # auto or never
    restart: str = ""         # drift: {restart: never}: somebody else's token is only delivered.
    disk_fails: bool = False  # A hold may not be written to it.
    ends: bool = False        # Nothing is open at the end of the record.
    slack: int = 250 * 10**3  # A time may look this much too short: entries arrive late.

    def with_words(self, words):
        """Return this policy with the values of KEY=VALUE words."""
        values = {}
        for word in words:
            key, equals, text = word.partition("=")
            if not equals or key not in _READERS:
                raise Wrong("%r: not one of %s" % (word, ", ".join(k + "=" for k in _READERS)))
            values[key] = _READERS[key](text)
        return dataclasses.replace(self, **values)

    @property
    def shortest_soak(self):
        """The minimum duration of a soak."""
        return self.soak if None in (self.soak, self.soak_min) else min(self.soak, self.soak_min)

    def too_short(self, duration, least):
        """Return whether a measured time is shorter than promised by more than the slack."""
        return least is not None and duration + self.slack < least


def _number(text):
    if not text.isdecimal():
        raise Wrong("%r is not a number" % text)
    return int(text)


_READERS = {"soak": microseconds, "soak_min": microseconds, "min_healthy_time": microseconds,
            "settle": microseconds, "min_interval": microseconds, "batches": _number,
            "canary": _yes, "units": lambda text: tuple(filter(None, text.split(","))),
            "surge": str, "restart": str, "ends": _yes, "disk_fails": _yes, "slack": microseconds}
