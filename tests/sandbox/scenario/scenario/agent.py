#!/usr/bin/python3 -IS
"""Runs commands inside a test host for a caller outside: one JSON line in, one JSON line out.

Entering a host anew for each command takes ten times as long as the command.
"""

import json
import subprocess
import sys


def perform(request):
    """Run one command; its exit status is 124 when it took too long."""
    try:
        done = subprocess.run(request["command"], input=request["input"], text=True, check=False,
                              errors="replace", capture_output=True, timeout=request["timeout"])
    except subprocess.TimeoutExpired:
        return {"status": 124, "out": "", "err": "it took longer than %(timeout)s s" % request}
    except OSError as error:
        return {"status": 127, "out": "", "err": str(error)}
    return {"status": done.returncode, "out": done.stdout, "err": done.stderr}


for line in sys.stdin:
    print(json.dumps(perform(json.loads(line))), flush=True)
