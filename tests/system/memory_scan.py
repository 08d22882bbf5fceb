#!/usr/bin/python3 -I
"""Looks for secrets in the memory of a process, or in a file, as root inside of a host.

Standard input: {"process": ID} or {"file": PATH}, with {"secrets": {"NAME": "BASE64"}}. Standard
output: {"found": [NAME], "bytes": how many were looked at}.
"""

import base64
import json
import sys

NOT_OF_THE_PROCESS = ("[vvar", "[vsyscall]")


def mappings(process):
    """Give the bytes of each mapping that can be read."""
    with open("/proc/%d/maps" % process, encoding="utf-8") as maps, \
            open("/proc/%d/mem" % process, "rb", buffering=0) as memory:
        for line in maps:
            area, permissions = line.split()[:2]
            if "r" not in permissions or any(name in line for name in NOT_OF_THE_PROCESS):
                continue
            begin, end = (int(number, 16) for number in area.split("-"))
            yield read(memory, begin, end)


def read(memory, begin, end):
    """Return these bytes, or as many as there are: another thread may have unmapped them."""
    data = b""
    memory.seek(begin)
    while len(data) < end - begin:
        try:
            more = memory.read(end - begin - len(data))
        except OSError:
            break
        if not more:
            break
        data += more
    return data


def whole(path):
    """Give the bytes of a file."""
    with open(path, "rb") as file:
        yield file.read()


def main():
    """Print what was found."""
    asked = json.load(sys.stdin)
    secrets = {name: base64.b64decode(text) for name, text in asked["secrets"].items()}
    found, size = set(), 0
    for data in whole(asked["file"]) if "file" in asked else mappings(asked["process"]):
        size += len(data)
        found.update(name for name, secret in secrets.items() if secret in data)
    print(json.dumps({"found": sorted(found), "bytes": size}))


main()
