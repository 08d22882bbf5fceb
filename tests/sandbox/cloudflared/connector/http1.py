"""HTTP/1.1 messages as bytes: one incremental reader and a few writers, without any socket."""

HEAD = "head"
DATA = "data"
END = "end"

MAX_HEAD = 64 * 1024
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 530: "Origin DNS Error",
}


class HttpError(Exception):
    """The peer's bytes are no HTTP/1.1 message that this reader understands."""


class Head:
    """A start line and headers; header names are lower case."""

    __slots__ = ("first", "second", "headers")

    def __init__(self, first, second, headers):
        self.first = first
        self.second = second
        self.headers = headers

    def get(self, name, default=""):
        """Return the value of the first header with this lower-case name."""
        for key, value in self.headers:
            if key == name:
                return value
        return default

    @property
    def status(self):
        """The status code, where this is the head of a response."""
        return int(self.second)

    @property
    def keep_alive(self):
        """Whether the peer leaves the connection open after this message."""
        return self.get("connection").lower() != "close"


def parse_head(text):
    """Return the Head that the text before the empty line describes."""
    lines = text.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 2:
        raise HttpError("malformed start line")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise HttpError("malformed header line")
        headers.append((name.strip().lower(), value.strip()))
    return Head(parts[0], parts[1], headers)


class MessageReader:
    """Turns bytes into events: (HEAD, Head), any number of (DATA, bytes), then (END, None).

    For responses set `responses`: a response without a length lasts until close() is called.
    """

    def __init__(self, responses=False):
        self._responses = responses
        self._buffer = b""
        self._state = self._read_head
        self._left = 0

    @property
    def idle(self):
        """Whether nothing of a message has arrived since the last END."""
        return self._state == self._read_head and not self._buffer

    def feed(self, data):
        """Return the events that `data` completes."""
        self._buffer += data
        events = []
        while self._state(events):
            pass
        return events

    def close(self):
        """Return the events that the end of the stream completes."""
        if self._state == self._read_until_close:
            self._state = self._read_head
            return [(END, None)]
        return []

    def _read_head(self, events):
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise HttpError("the head is too long")
            return False
        head = parse_head(self._buffer[:end])
        self._buffer = self._buffer[end + 4:]
        events.append((HEAD, head))
        length = head.get("content-length", None)
        if "chunked" in head.get("transfer-encoding").lower():
            self._state = self._read_chunk_size
        elif length is not None:
            self._left = _number(length, 10)
            self._state = self._read_body
        elif self._responses and head.second not in ("204", "304"):
            self._state = self._read_until_close
        else:
            self._left = 0
            self._state = self._read_body
        return True

    def _read_body(self, events):
        data, self._buffer = self._buffer[:self._left], self._buffer[self._left:]
        self._left -= len(data)
        if data:
            events.append((DATA, data))
        if self._left:
            return False
        events.append((END, None))
        self._state = self._read_head
        return bool(self._buffer)

    def _read_chunk_size(self, events):
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        size = _number(self._buffer[:end].split(b";")[0].decode("latin-1"), 16)
        self._buffer = self._buffer[end + 2:]
        self._left = size + 2
        self._state = self._read_chunk if size else self._read_last_chunk
        return True

    def _read_chunk(self, events):
        if len(self._buffer) < self._left:
            return False
        events.append((DATA, self._buffer[:self._left - 2]))
        self._buffer = self._buffer[self._left:]
        self._state = self._read_chunk_size
        return True

    def _read_last_chunk(self, events):
        if len(self._buffer) < 2:
            return False
        self._buffer = self._buffer[2:]
        events.append((END, None))
        self._state = self._read_head
        return bool(self._buffer)

    def _read_until_close(self, events):
        if self._buffer:
            events.append((DATA, self._buffer))
            self._buffer = b""
        return False


def _number(text, base):
    try:
        return int(text.strip(), base)
    except ValueError:
        raise HttpError("malformed length") from None


def request_bytes(method, target, headers, body=b""):
    """Return the bytes of a request; `headers` is a list of pairs and must name the host."""
    lines = ["%s %s HTTP/1.1" % (method, target)]
    lines += ["%s: %s" % pair for pair in headers]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append("content-length: %d" % len(body))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def response_head(status, headers):
    """Return the bytes of a response's head, as the headers are."""
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Unknown"))]
    lines += ["%s: %s" % pair for pair in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def response_bytes(status, headers, body):
    """Return the bytes of a whole response with its length."""
    return response_head(status, [*headers, ("content-length", len(body))]) + body


def chunk(data):
    """Return `data` as one chunk of a chunked body; empty data ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
