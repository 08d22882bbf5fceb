"""keyturnd with many tunnels, each with four units and its token file in place."""

import base64
import json

from scenario.cloudflare import ACCOUNT, API_URL
from scenario.keyturn import UNIT

from bench.machine import CALLGRIND, LOG

UNITS = 4
HEAD = """version: 1
cloudflare:
  api_url: %s
  credentials:
    main: {credential: cloudflare-api-token}
defaults:
  account: %s
  credential: main
tunnels:
""" % (API_URL, ACCOUNT)
TUNNEL = """  t%(i)d:
    tunnel: 00000000-0000-4000-8000-%(i)012d
    units: [%(units)s]
"""
PUT_TOKENS = """
set -eu
umask 077
cd /var/lib/keyturn/tokens
find . -type f -delete
while read -r name token; do printf %s "$token" >"$name"; done
chown -R keyturn:keyturn .
"""


def _policy(count):
    return HEAD + "".join(TUNNEL % {"i": i, "units": ", ".join(
        "cloudflared-t%d@%d.service" % (i, k + 1) for k in range(UNITS))} for i in range(count))


def _tokens(count):
    secret = base64.b64encode(b"\0" * 32).decode()
    lines = []
    for i in range(count):
        text = json.dumps({"a": ACCOUNT, "t": "00000000-0000-4000-8000-%012d" % i, "s": secret})
        lines.append("t%d %s\n" % (i, base64.b64encode(text.encode()).decode()))
    return "".join(lines)


def install(host, count):
    """Give keyturnd so many tunnels; it is stopped."""
    host.keyturn.forget()
    host.keyturn.write_policy_text(_policy(count))
    host.host.run("sh", "-c", PUT_TOKENS, feed=_tokens(count))


def start(host):
    """Start it, and wait until it is ready."""
    host.host.run("systemctl", "reset-failed", UNIT, check=False)
    host.host.run("systemctl", "start", UNIT)


def instructions_of_start(host, count):
    """Return how many instructions keyturnd executes from its start to its end right after."""
    install(host, count)
    with host.watched(CALLGRIND, "callgrind"):
        start(host)
        host.keyturn.stop()
        line = host.host.output("grep", "-E", "^(totals|summary):", LOG % "callgrind")
    return int(line.split()[1])
