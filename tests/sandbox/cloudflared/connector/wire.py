"""The protocol between the stand-in connector and the model of the edge.

One TCP connection is one "HA connection" of a connector; a connector opens four of them.
Each direction carries frames:

    length  4 bytes, big endian: the number of payload bytes
    kind    1 byte: one of the constants below
    stream  4 bytes, big endian: the request's number, 0 for the connection itself
    payload

The connector opens with REGISTER, a JSON object: account, tunnel, secret (base64 text as in the
token), client (the connector id), version, arch, features, index (0..3), protocol.  The edge
answers REGISTERED {connection, location} and then CONFIG {version, config}, or REFUSED {error}
and closes.

The edge sends each request of the public as one REQUEST frame: a JSON line {method, target,
headers} followed by the body.  The connector answers with RESPONSE_HEAD {status, headers}, any
number of RESPONSE_DATA frames, and RESPONSE_END.  CANCEL says that nobody waits for that stream.

UNREGISTER starts the drain: the edge sends no new request on this connection, waits until those
in flight are answered, sends GOODBYE and closes.  A connection that closes without GOODBYE was
lost.
"""

import json

REGISTER = 1
UNREGISTER = 2
RESPONSE_HEAD = 3
RESPONSE_DATA = 4
RESPONSE_END = 5
REGISTERED = 16
REFUSED = 17
CONFIG = 18
REQUEST = 19
CANCEL = 20
GOODBYE = 21

HEADER_BYTES = 9
MAX_PAYLOAD = 16 * 1024 * 1024


class WireError(Exception):
    """The peer does not speak this protocol."""


def frame(kind, stream=0, payload=b""):
    """Return the bytes of one frame."""
    return b"%b%c%b%b" % (
        len(payload).to_bytes(4, "big"), kind, stream.to_bytes(4, "big"), payload)


def json_frame(kind, value, stream=0):
    """Return the bytes of one frame whose payload is a JSON value."""
    return frame(kind, stream, json.dumps(value, separators=(",", ":")).encode())


def request_frame(stream, method, target, headers, body):
    """Return the REQUEST frame of one request of the public."""
    head = json.dumps({"method": method, "target": target, "headers": headers})
    return frame(REQUEST, stream, head.encode() + b"\n" + body)


def parse_request(payload):
    """Return the head (a dictionary) and the body of a REQUEST frame."""
    head, _, body = payload.partition(b"\n")
    return json.loads(head), body


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self):
        self._buffer = bytearray()

    def feed(self, data):
        """Return the list of (kind, stream, payload) that `data` completes."""
        buffer = self._buffer
        buffer += data
        frames = []
        position = 0
        while len(buffer) - position >= HEADER_BYTES:
            length = int.from_bytes(buffer[position:position + 4], "big")
            if length > MAX_PAYLOAD:
                raise WireError("a frame of %d bytes is too long" % length)
            end = position + HEADER_BYTES + length
            if len(buffer) < end:
                break
            stream = int.from_bytes(buffer[position + 5:position + 9], "big")
            payload = bytes(buffer[position + HEADER_BYTES:end])
            frames.append((buffer[position + 4], stream, payload))
            position = end
        del buffer[:position]
        return frames
