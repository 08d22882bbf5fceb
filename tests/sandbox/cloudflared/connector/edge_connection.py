"""One connection to the edge: it dials, registers, serves requests and drains."""

import json

from connector import wire
from connector.loop import Stream, connect
from connector.tracker import VERSION

DIAL_TIMEOUT = 15.0
FEATURES = ["allow_remote_config", "serialized_headers", "support_datagram_v2", "management_logs"]


class Ended:
    """Why a connection ended: `kind` is dial, refused, lost or drained."""

    def __init__(self, kind, text):
        self.kind = kind
        self.text = text


class EdgeConnection:
    """Calls `on_registered()` at most once and `on_ended(Ended)` exactly once."""

    def __init__(self, loop, identity, index, on_registered, on_ended):
        self._loop = loop
        self._identity = identity
        self._index = index
        self._on_registered = on_registered
        self._on_ended = on_ended
        self._reader = wire.FrameReader()
        self._stream = None
        self._finished = False
        self.registered = None
        self.draining = False
        connect(loop, identity.edge, DIAL_TIMEOUT, self._on_dialled)

    def drain(self):
        """Ask the edge to send no further request and to close when all are answered."""
        self.draining = True
        if self.registered is None:
            self._finish(Ended("drained", "closed before it was registered"))
        else:
            self._stream.write(wire.frame(wire.UNREGISTER))

    def _on_dialled(self, connection):
        if self._finished:
            if connection is not None:
                connection.close()
            return
        if connection is None:
            self._finish(Ended("dial", "DialContext error: dial tcp %s:%d: connection failed"
                               % self._identity.edge))
            return
        self.address = connection.getpeername()[0]
        self._stream = Stream(self._loop, connection, self._on_data, self._on_close)
        credentials = self._identity.credentials
        self._stream.write(wire.json_frame(wire.REGISTER, {
            "account": credentials.account, "tunnel": credentials.tunnel,
            "secret": credentials.secret, "client": self._identity.tracker.connector,
            "version": VERSION, "arch": "linux_amd64",
            "features": FEATURES + self._identity.features,
            "index": self._index, "protocol": self._identity.protocol}))

    def _on_data(self, data):
        try:
            frames = self._reader.feed(data)
        except wire.WireError as error:
            self._finish(Ended("lost", str(error)))
            return
        for kind, stream, payload in frames:
            if not self._finished:
                self._on_frame(kind, stream, payload)

    def _on_frame(self, kind, stream, payload):
        if kind == wire.REQUEST:
            self._identity.origin.handle(self, stream, payload, self._stream.write)
        elif kind == wire.CANCEL:
            self._identity.origin.cancel(self, stream)
        elif kind == wire.REGISTERED:
            self.registered = json.loads(payload)
            self._on_registered()
        elif kind == wire.CONFIG:
            self._identity.use_config(json.loads(payload))
        elif kind == wire.REFUSED:
            self._finish(Ended("refused", json.loads(payload)["error"]))
        elif kind == wire.GOODBYE:
            self._finish(Ended("drained", "closed after the drain"))

    def _on_close(self):
        self._finish(Ended("lost", "connection with edge closed"))

    def _finish(self, ended):
        if not self._finished:
            self._finished = True
            if self._stream is not None:
                self._stream.close()
            self._on_ended(ended)
