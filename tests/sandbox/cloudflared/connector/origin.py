"""Proxies the edge's requests to the origin service, over connections that are used again."""

from connector import http1, wire
from connector.loop import Stream, connect

CONNECT_TIMEOUT = 30.0
HOP_HEADERS = ("connection", "transfer-encoding", "keep-alive", "content-length")


def parse_service(url):
    """Return (host, port) of an http:// service, or None for anything else."""
    scheme, _, rest = url.partition("://")
    host, _, port = rest.partition("/")[0].partition(":")
    if scheme != "http" or not host:
        return None
    return host, int(port or 80)


class Exchange:
    """One request on its way to the origin, and its response on its way back."""

    def __init__(self, key, request, send, on_done):
        self.key = key
        self.stream = key[1]
        self.request = request
        self.cancelled = False
        self._send = send
        self._on_done = on_done
        self._status = 0
        self._frames = []

    def on_event(self, kind, value):
        """Take one event of the response; return whether it was the last."""
        if kind == http1.HEAD:
            self._status = value.status
            headers = [pair for pair in value.headers if pair[0] not in HOP_HEADERS]
            self._frames.append(wire.json_frame(
                wire.RESPONSE_HEAD, {"status": value.status, "headers": headers}, self.stream))
        elif kind == http1.DATA:
            self._frames.append(wire.frame(wire.RESPONSE_DATA, self.stream, value))
        else:
            self._frames.append(wire.frame(wire.RESPONSE_END, self.stream))
            self.flush()
            self._on_done(self, self._status)
            return True
        return False

    def flush(self):
        """Send the edge what has come together, with one write."""
        if self._frames and not self.cancelled:
            self._send(b"".join(self._frames))
        self._frames = []

    def fail(self):
        """Answer 502, or break the response off where it has begun."""
        if self._status:
            self._frames.append(wire.frame(wire.CANCEL, self.stream))
        else:
            self._status = 502
            head = {"status": 502, "headers": [("x-sandbox-reason", "origin-unreachable")]}
            self._frames.append(wire.json_frame(wire.RESPONSE_HEAD, head, self.stream))
            self._frames.append(wire.frame(wire.RESPONSE_END, self.stream))
        self.flush()
        self._on_done(self, self._status)


class OriginConnection:
    """One keep-alive connection to the origin, with at most one exchange on it."""

    def __init__(self, loop, connection, pool):
        self._pool = pool
        self._reader = http1.MessageReader(responses=True)
        self._exchange = None
        self._stream = Stream(loop, connection, self._on_data, self._on_close)

    def start(self, exchange):
        """Send the exchange's request."""
        self._exchange = exchange
        self._stream.write(exchange.request)

    def _on_data(self, data):
        try:
            events = self._reader.feed(data)
        except http1.HttpError:
            self._stream.close()
            self._on_close()
            return
        self._pass_on(events)

    def _on_close(self):
        self._pass_on(self._reader.close())
        if self._exchange is not None:
            exchange, self._exchange = self._exchange, None
            exchange.fail()
        if self in self._pool:
            self._pool.remove(self)

    def _pass_on(self, events):
        for kind, value in events:
            exchange = self._exchange
            if exchange is not None and exchange.on_event(kind, value):
                self._exchange = None
                if self._stream.open:
                    self._pool.append(self)
        if self._exchange is not None:
            self._exchange.flush()


class Origin:
    """The service behind the tunnel."""

    def __init__(self, loop, tracker):
        self._loop = loop
        self._tracker = tracker
        self._pool = []
        self._exchanges = {}
        self._address = None

    def set_service(self, url):
        """Send requests to this service from now on."""
        address = parse_service(url)
        if address != self._address:
            self._address = address
            self._pool.clear()

    def handle(self, owner, stream, payload, send):
        """Begin the exchange of one REQUEST frame; `send(bytes)` takes its answer's frames."""
        head, body = wire.parse_request(payload)
        self._tracker.requests += 1
        self._tracker.requests_in_flight += 1
        headers = [tuple(pair) for pair in head["headers"] if pair[0] not in HOP_HEADERS]
        request = http1.request_bytes(head["method"], head["target"], headers, body)
        exchange = Exchange((owner, stream), request, send, self._done)
        self._exchanges[exchange.key] = exchange
        if self._pool:
            self._pool.pop().start(exchange)
        elif self._address is None:
            exchange.fail()
        else:
            connect(self._loop, self._address, CONNECT_TIMEOUT,
                    lambda connection: self._begin(exchange, connection))

    def cancel(self, owner, stream):
        """Drop the answer of an exchange that nobody waits for any more."""
        exchange = self._exchanges.get((owner, stream))
        if exchange is not None:
            exchange.cancelled = True

    def _begin(self, exchange, connection):
        if connection is None:
            exchange.fail()
        else:
            OriginConnection(self._loop, connection, self._pool).start(exchange)

    def _done(self, exchange, status):
        self._exchanges.pop(exchange.key, None)
        self._tracker.requests_in_flight -= 1
        self._tracker.count_response(status)
