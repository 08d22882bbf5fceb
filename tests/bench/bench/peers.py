"""What stands beside keyturn: an empty program with its libraries, and what people use instead."""

import contextlib
import time

from scenario import wait_until
from scenario.cloudflare import ACCOUNT, API_URL, WRITE_TOKEN

from bench.machine import Process, counted

ROTATE_SCRIPT = """#!/bin/bash
# The steps of Cloudflare's documentation, with bash, curl and jq.
set -euo pipefail
export TMPDIR=/run
api=%(api)s/accounts/%(account)s/cfd_tunnel/%(tunnel)s
call() { curl --fail --silent --show-error --header "Authorization: Bearer %(token)s" "$@"; }
secret=$(openssl rand -base64 32)
call --request PATCH --header 'Content-Type: application/json' \\
    --data "$(jq -n --arg secret "$secret" '{tunnel_secret: $secret}')" "$api" >/run/answer
jq -e .success /run/answer >/run/success
token=$(call "$api/token" | jq -r .result)
umask 077
printf %%s "$token" >/var/lib/keyturn/tokens/.web.script
chown keyturn:keyturn /var/lib/keyturn/tokens/.web.script
mv /var/lib/keyturn/tokens/.web.script /var/lib/keyturn/tokens/web
for unit in %(units)s; do
    systemctl restart "$unit"
    until call "$api/connections" | jq -e '[.result[].conns[]] | length >= %(connections)d' \\
        >/run/success; do sleep 1; done
done
"""
CPU = """
import resource, subprocess, sys
for _ in range(int(sys.argv[1])):
    subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1000 / int(sys.argv[1]))
"""
COUNT = "strace -f -c -U calls,name -o /run/calls %s </dev/null >/dev/null"
RUN_UNIT = ("systemd-run", "--quiet", "--collect", "--unit", "bench-peer.service")


def cpu_of_command(host, *command, times=10):
    """Return the time on a processor, in milliseconds, that a command takes with its children."""
    return float(host.host.output("/usr/bin/python3", "-c", CPU, str(times), *command))


def calls_of_command(host, command):
    """Return the system calls of a command and its children, name to number."""
    host.host.run("sh", "-c", COUNT % command)
    return counted(host.host.output("cat", "/run/calls"))


def install_script(host):
    """Install the script that rotates; return its path."""
    values = {"api": API_URL, "account": ACCOUNT, "tunnel": host.cloudflare.tunnel,
              "token": WRITE_TOKEN, "units": " ".join(host.units.names),
              "connections": 4 * len(host.units.names)}
    host.host.run("sh", "-c", "cat >/run/rotate && chmod 700 /run/rotate",
                  feed=ROTATE_SCRIPT % values)
    return "/run/rotate"


@contextlib.contextmanager
def running(host, *command):
    """Run a program as a unit; gives its process."""
    host.host.run(*RUN_UNIT, *command)
    shown = host.host.output("systemctl", "show", "bench-peer.service", "--property=MainPID")
    yield Process(host.host, int(shown.partition("=")[2]))
    host.host.run("systemctl", "stop", "bench-peer.service")


def idle_daemon(host, *command):
    """Return (Rss, Anonymous, switches a minute) of a daemon that has nothing to do."""
    with running(host, *command) as process:
        time.sleep(5)
        before = process.switches()
        time.sleep(30)
        return (*process.memory_mb(), (process.switches() - before) * 2)


def floor(host, program):
    """Return what an empty program with keyturnd's libraries and a TLS context costs."""
    target = host.host.directory / "share" / "floor"
    target.write_bytes(program.read_bytes())
    host.host.run("install", "-m", "755", "/mnt/share/floor", "/usr/local/bin/bench-floor")
    with running(host, "/usr/local/bin/bench-floor", "wait") as process:
        wait_until(lambda: process.switches() > 0, "the floor program")
        time.sleep(1)
        rss, anonymous = process.memory_mb()
    calls = calls_of_command(host, "/usr/local/bin/bench-floor")
    return {"rss": rss, "anonymous": anonymous, "calls": sum(calls.values()),
            "cpu": cpu_of_command(host, "/usr/local/bin/bench-floor")}
