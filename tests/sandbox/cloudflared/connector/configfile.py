"""config.yml: where it is searched, and the scalars of its top level."""

import os

DIRECTORIES = (
    "~/.cloudflared", "~/.cloudflare-warp", "~/cloudflare-warp", "/etc/cloudflared",
    "/usr/local/etc/cloudflared",
)
NAMES = ("config.yml", "config.yaml")


class ConfigError(Exception):
    """The file cannot be read."""


def expand(path, environment):
    """Return the path with a leading `~` replaced, or None where there is no home."""
    if not path.startswith("~"):
        return path
    home = environment.get("HOME", "")
    return home + path[1:] if home else None


def search_directories(environment):
    """Return the directories for config.yml and credentials, in the order of their search."""
    expanded = (expand(path, environment) for path in DIRECTORIES)
    return [path for path in expanded if path is not None]


def find_config(environment):
    """Return the path of the first config file there is, or an empty string."""
    for directory in search_directories(environment):
        for name in NAMES:
            path = os.path.join(directory, name)
            if os.path.exists(path):
                return path
    return ""


def read_config(path):
    """Return the scalars of the file's top level; nested blocks are left out."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise ConfigError("open %s: %s" % (path, error.strerror.lower())) from None
    values = {}
    for line in lines:
        if not line or line[0] in " \t#-" or line.startswith("---"):
            continue
        key, colon, value = line.partition(":")
        value = _scalar(value.strip())
        if not colon:
            raise ConfigError("error parsing YAML in config file at %s" % path)
        if value:
            values[key.strip()] = value
    return values


def _scalar(text):
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return text.partition(" #")[0].strip()
