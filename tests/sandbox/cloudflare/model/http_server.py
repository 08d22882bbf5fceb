"""An HTTP/1.1 server on asyncio with keep-alive, streamed answers and deliberate misbehaviour."""

import asyncio
import json

from connector import http1

MAX_BODY = 4 * 1024 * 1024
JSON_TYPE = ("content-type", "application/json")


class Request:
    """One whole request."""

    __slots__ = ("method", "target", "headers", "body", "peer", "_head")

    def __init__(self, head, body, peer):
        self.method = head.first
        self.target = head.second
        self.headers = head.headers
        self.body = body
        self.peer = peer
        self._head = head

    def header(self, name):
        """Return a header's value, or an empty string."""
        return self._head.get(name)


class Response:
    """An answer; `stream`, an asynchronous iterator of bytes, may take the place of `body`."""

    __slots__ = ("status", "headers", "body", "stream", "cut")

    def __init__(self, status, body=b"", headers=(), stream=None, cut=""):
        self.status = status
        self.headers = list(headers)
        self.body = body
        self.stream = stream
        self.cut = cut

    @classmethod
    def json(cls, status, value, headers=()):
        """Return an answer with a JSON body."""
        return cls(status, json.dumps(value).encode(), [JSON_TYPE, *headers])


CLOSE = Response(0, cut="close")


class ServerProtocol(asyncio.Protocol):
    """One connection of a client; requests are handled one after the other."""

    def __init__(self, handler):
        self._handler = handler
        self._reader = http1.MessageReader()
        self._transport = None
        self._head = None
        self._body = []
        self._queue = []
        self._task = None

    def connection_made(self, transport):
        """Remember the transport."""
        self._transport = transport

    def connection_lost(self, _error):
        """Stop working for a client that has gone."""
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data):
        """Collect requests, and start on them."""
        try:
            events = self._reader.feed(data)
        except http1.HttpError:
            self._transport.abort()
            return
        for kind, value in events:
            if kind == http1.HEAD:
                self._head, self._body = value, []
            elif kind == http1.DATA:
                self._body.append(value)
                if sum(map(len, self._body)) > MAX_BODY:
                    self._transport.abort()
                    return
            else:
                self._queue.append((self._head, b"".join(self._body)))
        if self._task is None and self._queue:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self):
        """Answer what is queued."""
        try:
            peer = self._transport.get_extra_info("peername")
            while self._queue and not self._transport.is_closing():
                head, body = self._queue.pop(0)
                request = Request(head, body, peer[0] if isinstance(peer, tuple) else "")
                response = await self._handler(request)
                await self._send(response, head)
        except ConnectionError:
            self._transport.abort()
        finally:
            self._task = None

    async def _send(self, response, head):
        if response.cut == "close":
            self._transport.abort()
            return
        if response.stream is not None:
            await self._send_stream(response)
            return
        data = http1.response_bytes(response.status, response.headers, response.body)
        if response.cut == "truncate":
            self._transport.write(data[:len(data) - (len(response.body) + 1) // 2])
            self._transport.close()
            return
        self._transport.write(data)
        if not head.keep_alive:
            self._transport.close()

    async def _send_stream(self, response):
        headers = [*response.headers, ("transfer-encoding", "chunked")]
        self._transport.write(http1.response_head(response.status, headers))
        async for data in response.stream:
            self._transport.write(http1.chunk(data))
        self._transport.write(http1.chunk(b""))


async def serve(address, handler, tls=None):
    """Listen on (host, port) or ("unix", path); return the asyncio server."""
    loop = asyncio.get_running_loop()
    if address[0] == "unix":
        return await loop.create_unix_server(lambda: ServerProtocol(handler), address[1])
    return await loop.create_server(
        lambda: ServerProtocol(handler), *address, ssl=tls, backlog=512)
