#!/usr/bin/python3 -I
"""Tries what an attacker would who has taken over the process that runs this; prints the results.

Arguments: the main process of a connector, its unit, and the path of the result ("-": standard
output). The result: {what was tried: whether it worked}. It undoes what worked.
"""

import ctypes
import json
import os
import socket
import sys

NEW_USERS, BIND = 0x10000000, 0x1000
LIBC = ctypes.CDLL(None, use_errno=True)


def writes(path):
    """Make a file, and remove it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(path)


def reads(path):
    """Open a file."""
    os.close(os.open(path, os.O_RDONLY))


def call(function, *arguments):
    """Make a call of the C library, which has to succeed."""
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), "refused")


def mounts():
    """Mount something, and unmount it."""
    call(LIBC.mount, b"/etc", b"/media", None, BIND, None)
    call(LIBC.umount2, b"/media", 0)


def forked(function, *arguments):
    """Do it in a child, because it cannot be undone."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError("refused")


def attempts(process, unit):
    """Return what is tried: {name: function}."""
    return {
        "change a unit": lambda: writes("/etc/systemd/system/attack.service"),
        "change a program": lambda: writes("/usr/local/bin/attack"),
        "change the policy": lambda: writes("/etc/keyturn/keyturn.d/attack.yaml"),
        "change polkit's rules": lambda: writes("/etc/polkit-1/rules.d/attack.rules"),
        "read passwords": lambda: reads("/etc/shadow"),
        "read the original of the API token": lambda: reads("/etc/keyturn/cloudflare-api-token"),
        "read root's home": lambda: os.listdir("/root"),
        "read credentials of a connector": lambda: reads("/run/credentials/%s/token" % unit),
        "read the memory of a connector": lambda: reads("/proc/%d/mem" % process),
        "see a connector's process": lambda: os.stat("/proc/%d" % process),
        "stop a connector's process": lambda: os.kill(process, 0),
        "become root": lambda: forked(os.setuid, 0),
        "make name spaces": lambda: forked(call, LIBC.unshare, NEW_USERS),
        "mount": mounts,
        "read network traffic": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3).close(),
    }


def main():
    """Try everything."""
    process, unit, result = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    worked = {}
    for name, attempt in attempts(process, unit).items():
        try:
            attempt()
            worked[name] = True
        except OSError:
            worked[name] = False
    text = json.dumps(worked)
    if result == "-":
        print(text)
    else:
        with open(result, "w", encoding="utf-8") as file:
            file.write(text)


main()
