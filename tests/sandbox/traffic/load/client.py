"""An HTTP client that makes exactly one attempt per request, over connections kept alive."""

import asyncio

from connector import http1

CONNECTION_FAILED = "connection"
TIMED_OUT = "timeout"


class ClientConnection(asyncio.Protocol):
    """One connection to the listener, with at most one request on it."""

    def __init__(self, idle):
        self._idle = idle
        self._reader = http1.MessageReader(responses=True)
        self._transport = None
        self._answer = None
        self._status = None

    def connection_made(self, transport):
        """Remember the transport."""
        self._transport = transport

    def connection_lost(self, _error):
        """Fail the request under way, and never use this connection again."""
        if self in self._idle:
            self._idle.remove(self)
        self._settle(CONNECTION_FAILED)

    def data_received(self, data):
        """Settle the request once its whole response is here."""
        try:
            events = self._reader.feed(data)
        except http1.HttpError:
            self._transport.abort()
            return
        for kind, value in events:
            if kind == http1.HEAD:
                self._status = value.second
            elif kind == http1.END:
                self._idle.append(self)
                self._settle(self._status)

    def send(self, data):
        """Send a request, and return the future of its outcome."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._answer

    def abort(self):
        """Give the request and the connection up."""
        self._transport.abort()

    def _settle(self, outcome):
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(outcome)


class Client:
    """A pool of connections that grows whenever all are busy."""

    def __init__(self, host, port, timeout):
        self._host = host
        self._port = port
        self._timeout = timeout
        self._idle = []

    async def warm_up(self, count):
        """Open this many connections before the first request."""
        for _ in range(count):
            self._idle.append(await self._connect())

    async def request(self, data):
        """Make one attempt; return a status code as text, or the word for another failure."""
        try:
            connection = self._idle.pop() if self._idle else await self._connect()
        except OSError:
            return CONNECTION_FAILED
        try:
            return await asyncio.wait_for(connection.send(data), self._timeout)
        except asyncio.TimeoutError:
            connection.abort()
            return TIMED_OUT

    async def _connect(self):
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(
            lambda: ClientConnection(self._idle), self._host, self._port)
        return protocol
