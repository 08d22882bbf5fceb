"""The metrics server: /ready, /healthcheck, /config, /diag/*, /metrics and the rest."""

import json
import os
import socket

from connector import http1
from connector.credentials import StartError
from connector.loop import Stream, listen

DEFAULT_ADDRESS = "localhost:0"
KNOWN_PORTS = range(20241, 20246)
TEXT = "text/plain; charset=utf-8"
METRICS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
SHOWN_FLAGS = ("config", "edge-ip-version", "grace-period", "ha-connections", "loglevel", "metrics",
               "no-autoupdate", "protocol", "region", "retries")


def open_listener(loop, text, on_connection):
    """Listen where `--metrics` says, or raise StartError."""
    if text == DEFAULT_ADDRESS:
        for port in KNOWN_PORTS:
            try:
                return listen(loop, ("127.0.0.1", port), on_connection)
            except OSError:
                continue
        return listen(loop, ("127.0.0.1", 0), on_connection)
    host, _, port = text.rpartition(":")
    host = {"": "0.0.0.0", "localhost": "127.0.0.1"}.get(host.strip("[]"), host.strip("[]"))
    try:
        return listen(loop, (host, int(port)), on_connection)
    except (OSError, ValueError, OverflowError) as error:
        reason = (os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno
                  else "invalid address")
        raise StartError(
            "Error opening metrics server listener: failed to bind to address (%s): listen tcp %s: "
            "bind: %s" % (text, text, reason), 1) from None


class MetricsServer:
    """Answers GET requests with what the tracker holds."""

    def __init__(self, loop, tracker, options):
        self._loop = loop
        self._tracker = tracker
        self._options = options
        self._listener = open_listener(loop, options.get("metrics"), self._accept)
        host, port = self._listener.getsockname()[:2]
        self.address = "[%s]:%d" % (host, port) if ":" in host else "%s:%d" % (host, port)

    def _accept(self, connection):
        reader = http1.MessageReader()
        head = None

        def on_data(data):
            nonlocal head
            try:
                events = reader.feed(data)
            except http1.HttpError:
                stream.close()
                return
            for kind, value in events:
                if kind == http1.HEAD:
                    head = value
                elif kind == http1.END:
                    stream.write(self._answer(head))
                    if not head.keep_alive:
                        stream.close_when_sent()

        stream = Stream(self._loop, connection, on_data, lambda: None)

    def _answer(self, head):
        path = head.second.partition("?")[0]
        route = getattr(self, "_get" + path.replace("/", "_"), None) if "_" not in path else None
        if head.first not in ("GET", "HEAD"):
            status, kind, body = 405, TEXT, b"Method Not Allowed\n"
        elif route is None:
            status, kind, body = 404, TEXT, b"404 page not found\n"
        else:
            status, kind, body = route()
        return http1.response_bytes(status, [("Content-Type", kind)], body)

    def _get_ready(self):
        status, value = self._tracker.ready()
        return status, TEXT, json.dumps(value, separators=(",", ":")).encode()

    def _get_healthcheck(self):
        return 200, TEXT, b"OK\n"

    def _get_config(self):
        return 200, TEXT, json.dumps(self._tracker.config, separators=(",", ":")).encode()

    def _get_quicktunnel(self):
        return 200, TEXT, b'{"hostname":""}'

    def _get_metrics(self):
        return 200, METRICS_TEXT, self._tracker.metrics_text().encode()

    def _get_diag_tunnel(self):
        return 200, TEXT, json.dumps(self._tracker.diag_tunnel()).encode() + b"\n"

    def _get_diag_configuration(self):
        names = [name for name in SHOWN_FLAGS if self._options.is_set(name)]
        value = {name: self._options.get(name) for name in names}
        value["uid"] = str(os.getuid())
        return 200, TEXT, json.dumps(value).encode() + b"\n"

    def _get_diag_system(self):
        value = {"info": {"osSystem": "Linux", "hostname": socket.gethostname(),
                          "cloudflaredVersion": "2026.8.2"}, "errors": None}
        return 200, TEXT, json.dumps(value).encode() + b"\n"

    def _get_debug_pprof_cmdline(self):
        return 403, TEXT, b"forbidden\n"
