"""Test hosts from Python: `with Host(directory) as host: host.output("systemctl", "--version")`."""

import os
import subprocess
from pathlib import Path

TESTHOST = str(Path(__file__).resolve().with_name("testhost"))
# Of one command, in seconds: eight hosts may start at once on two busy processors.
DEADLINE = 600


def cli(*arguments, check=True):
    """Runs the program; fails with what it said."""
    done = subprocess.run([TESTHOST, *map(str, arguments)], check=False, text=True,
                          capture_output=True, timeout=DEADLINE)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


class Host:
    """A host that lives as long as the `with` block, and never longer than this process."""

    def __init__(self, directory, *boot_options):
        self.directory = Path(directory)
        self.boot_options = boot_options
        self.said = ""

    def __enter__(self):
        self.said = cli("boot", self.directory, "--owner", os.getpid(),
                             *self.boot_options).stdout
        return self

    def __exit__(self, *_):
        cli("stop", self.directory)

    def run(self, *command, user=None, check=True):
        """Runs a command inside; `check`: it has to succeed."""
        options = ("--user", user) if user else ()
        return cli("run", self.directory, *options, "--", *command, check=check)

    def output(self, *command, user=None):
        return self.run(*command, user=user).stdout.strip()
