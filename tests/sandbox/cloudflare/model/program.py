"""The program: reads the configuration, opens five listeners, and serves until a signal."""

import argparse
import asyncio
import json
import os
import signal
import socket
import ssl
import sys

from model.api_server import ApiServer
from model.config import LISTENERS, ConfigError, read_config
from model.control import ControlServer
from model.edge import serve_edge
from model.http_server import serve
from model.origin import OriginServer
from model.public import PublicServer

EXIT_CONFIG = 78
HELP = """\
A model of Cloudflare for tests.  CONFIG is a JSON file:

  {"listen": {"api": "127.0.0.1:8443", "edge": "127.0.0.1:7844", "public": "127.0.0.1:8080",
              "origin": "127.0.0.1:8000", "control": "127.0.0.1:8001" or "unix:PATH"},
   "tls": {"certificate": "PATH", "key": "PATH"},
   "credentials": [{"token": "...", "name": "main", "level": "write" or "read",
                    "owner": "user" or "account", "accounts": ["..."], "status": "active"}],
   "tunnels": [{"account": "...", "id": "...", "name": "web", "secret": "BASE64",
                "hostnames": ["web.example.test"]}],
   "knobs": {}}

Port 0 takes a free port.  Relative paths start at the file's directory.  Without `tls` the API
speaks plain HTTP.  When all listeners are open, one line of JSON with their addresses goes to
standard output, and READY=1 to $NOTIFY_SOCKET.
"""


def tls_context(config):
    """Return the TLS context of the API, or None for plain HTTP."""
    if not config.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.certificate, config.key)
    return context


def address_of(server):
    """Return where a server listens, as text."""
    name = server.sockets[0].getsockname()
    return "unix:" + name if isinstance(name, str) else "%s:%d" % name[:2]


async def open_listeners(config):
    """Open every listener; return the servers by name."""
    world = config.world
    listen = config.listen
    addresses = {}
    servers = {
        "api": await serve(listen["api"], ApiServer(world).handle, tls_context(config)),
        "edge": await serve_edge(listen["edge"], world),
        "public": await serve(listen["public"], PublicServer(world).handle),
        "origin": await serve(listen["origin"], OriginServer(world).handle),
        "control": await serve(listen["control"], ControlServer(world, addresses).handle),
    }
    addresses.update({name: address_of(servers[name]) for name in LISTENERS})
    world.default_service = "http://" + addresses["origin"]
    return servers, addresses


def notify_ready():
    """Tell a service manager that the listeners are open."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect("\0" + address[1:] if address.startswith("@") else address)
            sender.send(b"READY=1")


async def run(config):
    """Serve until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    servers, addresses = await open_listeners(config)
    print(json.dumps(addresses), flush=True)
    notify_ready()
    await stopped.wait()
    for server in servers.values():
        server.close()


def main(words):
    """Run the command line `words` and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="sandbox-cloudflare", description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG", help="the configuration file")
    arguments = parser.parse_args(words)
    try:
        config = read_config(arguments.config)
        asyncio.run(run(config))
    except (ConfigError, OSError) as error:
        print("sandbox-cloudflare: %s" % error, file=sys.stderr)
        return EXIT_CONFIG
    return 0
