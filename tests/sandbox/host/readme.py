"""The shell lines of README.md's section Install: what tests install keyturn by."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
BUILD = "build/release"  # How the README calls the build directory.
_BLOCK = re.compile(r"^## Install\n+```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The lines stand as they are read, and a test host has no sudo: there everybody is root.
_PREFACE = 'set -eu\nsudo() { "$@"; }\n'


def _lines():
    block = _BLOCK.search((REPOSITORY / "README.md").read_text())
    assert block, "README.md has no block of shell lines under Install"
    lines = block.group(1).splitlines()
    at = [number for number, line in enumerate(lines) if "cmake --install " + BUILD in line]
    assert len(at) == 1, "one line under Install runs cmake --install " + BUILD
    return lines, at[0]


def copy_files(build):
    """Return the line that copies the files out of a build directory; heeds DESTDIR."""
    lines, at = _lines()
    return _PREFACE + lines[at].replace(BUILD, str(build)) + "\n"


def set_up():
    """Return what follows once the files are in place."""
    lines, at = _lines()
    after = "\n".join(lines[at + 1:]) + "\n"
    # `&&` under `set -e` would let the left side fail.
    return _PREFACE + after.replace(" && ", "\n")
