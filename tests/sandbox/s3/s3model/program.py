"""The program: opens two listeners, and serves until a signal."""

import argparse
import json
import signal
import ssl
import threading

from s3model.server import ControlHandler, Server, StoreHandler
from s3model.store import Store


class World:
    """What both listeners share."""

    def __init__(self, arguments):
        self.store = Store()
        self.bucket = arguments.bucket
        self.key_id = arguments.key_id
        self.secret = arguments.secret


def address(text):
    """Read HOST:PORT."""
    host, _, port = text.rpartition(":")
    return host, int(port)


def open_listeners(arguments):
    """Return the listeners by name."""
    world = World(arguments)
    tls = None
    if arguments.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(arguments.certificate, arguments.key)
    return {"s3": Server(arguments.listen, StoreHandler, world, tls),
            "control": Server(arguments.control, ControlHandler, world)}


def main(words):
    """Run the command line `words` and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="sandbox-s3",
        description="A model of an S3 store for tests. When it listens, it prints one line of JSON "
                    "with its addresses. Port 0 takes a free port. Without a certificate it speaks "
                    "plain HTTP.")
    parser.add_argument("--listen", type=address, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument("--control", type=address, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument("--certificate", metavar="FILE")
    parser.add_argument("--key", metavar="FILE")
    parser.add_argument("--bucket", default="fleet", metavar="NAME")
    parser.add_argument("--key-id", default="KEYTURNTEST", metavar="ID")
    parser.add_argument("--secret", default="secretsecretsecret", metavar="TEXT")
    servers = open_listeners(parser.parse_args(words))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for server in servers.values():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({name: "%s:%d" % server.server_address[:2]
                      for name, server in servers.items()}), flush=True)
    stopped.wait()
    return 0
