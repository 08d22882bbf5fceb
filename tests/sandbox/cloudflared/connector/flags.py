"""The command line: which flags exist at which level, where their values come from, in Go's syntax.

A value comes from the command line, else from the environment, else from config.yml, else it is
the default.  A flag of `tunnel` may stand before `tunnel` or before `run`, never after `run`: the
real program answers "Incorrect Usage" there (and then leaves with status 0).
"""

import os

# name: (environment variable, default, takes a value)
TUNNEL_FLAGS = {
    "autoupdate-freq": ("AUTOUPDATE_FREQ", "24h", True),
    "cacert": ("TUNNEL_CACERT", "", True),
    "config": ("", "", True),
    "edge": ("TUNNEL_EDGE", "", True),
    "edge-bind-address": ("TUNNEL_EDGE_BIND_ADDRESS", "", True),
    "edge-ip-version": ("TUNNEL_EDGE_IP_VERSION", "auto", True),
    "grace-period": ("TUNNEL_GRACE_PERIOD", "30s", True),
    "ha-connections": ("", "4", True),
    "label": ("", "", True),
    "logfile": ("TUNNEL_LOGFILE", "", True),
    "loglevel": ("TUNNEL_LOGLEVEL", "info", True),
    "metrics": ("TUNNEL_METRICS", "localhost:0", True),
    "no-autoupdate": ("NO_AUTOUPDATE", "false", False),
    "no-prechecks": ("TUNNEL_NO_PRECHECKS", "false", False),
    "origincert": ("TUNNEL_ORIGIN_CERT", "", True),
    "pidfile": ("TUNNEL_PIDFILE", "", True),
    "region": ("TUNNEL_REGION", "", True),
    "retries": ("TUNNEL_RETRIES", "5", True),
    "tag": ("TUNNEL_TAG", "", True),
    "transport-loglevel": ("TUNNEL_PROTO_LOGLEVEL", "info", True),
}
RUN_FLAGS = {
    "credentials-contents": ("TUNNEL_CRED_CONTENTS", "", True),
    "credentials-file": ("TUNNEL_CRED_FILE", "", True),
    "features": ("", "", True),
    "post-quantum": ("TUNNEL_POST_QUANTUM", "false", False),
    "protocol": ("TUNNEL_TRANSPORT_PROTOCOL", "auto", True),
    "token": ("TUNNEL_TOKEN", "", True),
    "token-file": ("TUNNEL_TOKEN_FILE", "", True),
    "url": ("TUNNEL_URL", "http://localhost:8080", True),
}
ALIASES = {"cred-file": "credentials-file", "p": "protocol", "F": "features", "pq": "post-quantum"}
SECRET_FLAGS = ("token", "credentials-contents")
ALL_FLAGS = {**TUNNEL_FLAGS, **RUN_FLAGS}


class UsageError(Exception):
    """The command line cannot be understood."""


class Options:
    """The values of all flags, and the arguments that are no flags."""

    def __init__(self, command, given, arguments, environment):
        self.command = command
        self.given = given
        self.arguments = arguments
        self._environment = environment
        self._file = {}

    def use_config_file(self, values):
        """Take what command line and environment leave open from config.yml's top level."""
        self._file = values

    def _find(self, name):
        if name in self.given:
            return self.given[name]
        variable = ALL_FLAGS[name][0]
        if variable and self._environment.get(variable):
            return self._environment[variable]
        return self._file.get(name)

    def is_set(self, name):
        """Return whether anything but the default gives the flag its value."""
        return self._find(name) is not None

    def get(self, name):
        """Return the flag's value as text."""
        found = self._find(name)
        return ALL_FLAGS[name][1] if found is None else found

    def shown(self):
        """Return what was set on the command line or by the file, as the log may show it."""
        names = [name for name in ALL_FLAGS if self.is_set(name)]
        return {name: "*****" if name in SECRET_FLAGS else self.get(name) for name in names}


def parse_command_line(words, environment=os.environ):
    """Return the Options of `words`, or raise UsageError."""
    given = {}
    command = []
    rest = list(words)
    known = {**TUNNEL_FLAGS, "version": ("", "false", False), "help": ("", "false", False)}
    while rest:
        rest = _take_flags(rest, known, given)
        if not rest or command[-1:] in (["run"], ["ready"], ["version"]):
            break
        word = rest.pop(0)
        if word == "run" and command == ["tunnel"]:
            known = {**RUN_FLAGS, "help": ("", "false", False)}
        elif word == "ready" and command == ["tunnel"]:
            known = {}
        elif command or word not in ("tunnel", "version"):
            rest.insert(0, word)
            break
        command.append(word)
    if "version" in given:
        command = ["version"]
    return Options(command, given, rest, environment)


def _take_flags(words, known, given):
    """Move leading flags from `words` into `given`; return the words after them."""
    while words and words[0].startswith("-") and words[0] != "-":
        if words[0] == "--":
            return words[1:]
        name, equals, value = words[0].lstrip("-").partition("=")
        name = {"v": "version", "V": "version", "h": "help"}.get(name, ALIASES.get(name, name))
        if name not in known:
            raise UsageError("flag provided but not defined: -%s" % name)
        words = words[1:]
        if not equals and known[name][2]:
            if not words:
                raise UsageError("flag needs an argument: -%s" % name)
            value, words = words[0], words[1:]
        given[name] = value if equals or known[name][2] else "true"
    return words


UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text):
    """Return the seconds of a Go duration such as `1m30s`, or raise ValueError."""
    if text in ("0", "+0", "-0"):
        return 0.0
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    total = 0.0
    if not rest:
        raise ValueError("invalid duration %s" % text)
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = len(rest[digits:]) - len(rest[digits:].lstrip("nuµmsh"))
        unit = UNITS.get(rest[digits:digits + letters])
        if not digits or unit is None:
            raise ValueError("invalid duration %s" % text)
        total += float(rest[:digits]) * unit
        rest = rest[digits + letters:]
    return sign * total


def format_duration(seconds):
    """Return seconds as Go prints a duration: 3m0s, 2s, 500ms."""
    if seconds < 1:
        return "%gms" % (seconds * 1000)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = "%gs" % rest
    if hours:
        return "%dh%dm%s" % (hours, minutes, text)
    return "%dm%s" % (minutes, text) if minutes else text
