"""The one JSON file that configures the model."""

import json
import os

from model.auth import Credential
from model.knobs import Knobs
from model.state import Tunnel, World

LISTENERS = ("api", "edge", "public", "origin", "control")


class ConfigError(Exception):
    """The configuration file cannot be used."""


class Config:
    """The checked content of the file."""

    def __init__(self, listen, certificate, key, world):
        self.listen = listen
        self.certificate = certificate
        self.key = key
        self.world = world


def _address(text):
    """Return ("unix", path) or (host, port)."""
    if text.startswith("unix:"):
        return "unix", text.removeprefix("unix:")
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def parse_config(value, directory):
    """Build a Config from the decoded JSON; relative paths start at `directory`."""
    unknown = set(value) - {"listen", "tls", "credentials", "tunnels", "knobs"}
    if unknown:
        raise ConfigError("unknown keys: %s" % ", ".join(sorted(unknown)))
    addresses = {"api": "127.0.0.1:0", "edge": "127.0.0.1:0", "public": "127.0.0.1:0",
                 "origin": "127.0.0.1:0", "control": "127.0.0.1:0", **value.get("listen", {})}
    if set(addresses) - set(LISTENERS):
        raise ConfigError("unknown listeners; known are %s" % ", ".join(LISTENERS))
    world = World()
    world.credentials = [Credential(**item) for item in value.get("credentials", [])]
    world.knobs = Knobs(value.get("knobs", {}))
    for item in value.get("tunnels", []):
        world.add_tunnel(Tunnel(**item))
    tls = value.get("tls", {})
    paths = [os.path.join(directory, tls[name]) if tls.get(name) else ""
             for name in ("certificate", "key")]
    listen = {name: _address(text) for name, text in addresses.items()}
    return Config(listen, *paths, world)


def read_config(path):
    """Read the configuration file, or raise ConfigError."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
        return parse_config(value, os.path.dirname(os.path.abspath(path)))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError("%s: %s" % (path, error)) from None
