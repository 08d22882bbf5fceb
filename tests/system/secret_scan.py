#!/usr/bin/python3 -I
"""Looks everywhere on a host for secrets, as root inside of it.

Standard input: {"NAME": "BASE64 OF THE BYTES TO LOOK FOR"}. Standard output: a list of
[where, which name]. Looked at: all fields of the journal, command lines and environments of all
processes, every file under /etc, /run, /tmp and /var that others than its owner may read and that
was written since the boot, what any user may ask systemd and keyturnd over D-Bus. Any file wider
than 0600 counts, whoever its group is.
"""

import base64
import json
import os
import stat
import subprocess
import sys

PLACES = ("/etc", "/run", "/tmp", "/var")
SIZE_MAX = 64 * 1024 * 1024
COMMANDS = {
    "journal": ["journalctl", "--output=export", "--all", "--no-pager"],
    "systemd": ["systemctl", "show", "--all", "*"],
    "systemd-units": ["systemctl", "cat", "*"],
}
KEYTURN = "org.keyturn.Keyturn1"


def contents():
    """Give (where, bytes) of everything to be looked at."""
    for where, command in COMMANDS.items():
        yield where, subprocess.run(command, capture_output=True, check=False).stdout
    yield from bus_objects()
    for name in filter(str.isdigit, os.listdir("/proc")):
        for kind in ("cmdline", "environ"):
            path = "/proc/%s/%s" % (name, kind)
            yield path, read(path)
    for place in PLACES:
        yield from wide_files(place)


def bus_objects():
    """Give all properties of all objects of keyturnd, as nobody may ask for them."""
    tree = subprocess.run(["busctl", "--list", "tree", KEYTURN], capture_output=True, text=True,
                          check=False).stdout
    for path in tree.split():
        shown = subprocess.run(["busctl", "--full", "introspect", KEYTURN, path],
                               capture_output=True, check=False).stdout
        yield "bus:" + path, shown


def wide_files(place):
    """Give the regular files that more than their owner may read."""
    boot = os.stat("/proc/1").st_ctime
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            regular = stat.S_ISREG(status.st_mode) and status.st_size <= SIZE_MAX
            if regular and status.st_mode & 0o077 and status.st_ctime >= boot:
                yield path, read(path)


def read(path):
    """Return a file's bytes; b"" where it is gone."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def main():
    """Print what was found."""
    secrets = {name: base64.b64decode(text) for name, text in json.load(sys.stdin).items()}
    looked_at = {"journal": 0, "bus": 0, "process": 0, "file": 0}
    found = []
    for where, data in contents():
        kind = "process" if where.startswith("/proc/") else where.partition(":")[0]
        looked_at[kind if kind in looked_at else "file"] += len(data)
        found += [[where, name] for name, secret in secrets.items() if secret in data]
    print(json.dumps({"found": found, "looked_at": looked_at}))


main()
