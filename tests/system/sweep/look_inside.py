#!/usr/bin/python3 -I
"""Looks at the files that the host has besides those of its image, as root inside of it.

Standard input: {"NAME": "TEXT TO LOOK FOR"}. Standard output: {"files": {path: [mode, owner,
text, time]}, "wide": [[path, name]]}: every file, link and directory below some places that was
changed since the boot, with the time of that change in nanoseconds; and each file wider than 0600
with one of the texts.
"""

import json
import os
import stat
import sys

PLACES = ("/etc", "/root/.cloudflared", "/var/lib/keyturn")
# Not /var/tmp, where a test host shows what others write on this machine.
SEARCHED = (*PLACES, "/run", "/tmp", "/var/lib/systemd")
# Journald records the command lines of all processes, and the token may be in one.
LEFT_OUT = "/run/log/"
SIZE_MAX = 64 * 1024 * 1024


def walked(place, boot):
    """Give (path, status) of everything below a place that was changed since the boot."""
    for folder, folders, names in os.walk(place):
        for name in folders + names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if status.st_ctime >= boot:
                yield path, status


def text_of(path, status):
    """Return what a file or a link holds, "" for what has no text."""
    try:
        if stat.S_ISLNK(status.st_mode):
            return os.readlink(path)
        if stat.S_ISREG(status.st_mode) and status.st_size <= SIZE_MAX:
            with open(path, "rb") as file:
                return file.read().decode("latin-1")
    except OSError:
        pass  # It is gone.
    return ""


def main():
    """Print what was found."""
    needles = json.load(sys.stdin)
    boot = os.stat("/proc/1").st_ctime
    files = {path: ["%o" % status.st_mode, "%d:%d" % (status.st_uid, status.st_gid),
                    text_of(path, status), status.st_ctime_ns]
             for place in PLACES for path, status in walked(place, boot)}
    wide = []
    for place in SEARCHED:
        for path, status in walked(place, boot):
            regular = stat.S_ISREG(status.st_mode) and status.st_mode & 0o077
            if not regular or path.startswith(LEFT_OUT):
                continue
            text = text_of(path, status)
            wide += [[path, name] for name, needle in needles.items() if needle in text]
    print(json.dumps({"files": files, "wide": wide}))


main()
