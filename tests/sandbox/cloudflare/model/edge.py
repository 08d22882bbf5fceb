"""The edge: registers connectors, sends them requests, drains them, and drops them on demand."""

import asyncio
import json
import uuid

from connector import wire
from model import clock, tokens
from model.state import Connector

INVALID_SECRET = "Unauthorized: Invalid tunnel secret"
UNKNOWN_TUNNEL = "Unauthorized: Failed to get tunnel"
DUPLICATE = "EDUPCONN"
LOCATIONS = ("tst01", "tst02", "tst03", "tst04")


class ConnectionLost(Exception):
    """The connector's connection ended before the response did."""


class Reply:
    """The response to one request, while it arrives."""

    def __init__(self, loop):
        self.head = loop.create_future()
        self.data = []
        self.ended = False
        self.lost = False
        self._changed = asyncio.Event()

    def on_head(self, payload):
        """Take the response's status and headers."""
        if not self.head.done():
            self.head.set_result(json.loads(payload))

    def on_data(self, payload):
        """Take a piece of the body."""
        self.data.append(payload)
        self._changed.set()

    def end(self):
        """Note that the response is whole."""
        self.ended = True
        self._changed.set()

    def lose(self):
        """Note that the rest will never come."""
        self.lost = True
        if not self.head.done():
            self.head.set_exception(ConnectionLost())
        self._changed.set()

    async def pieces(self):
        """Give the body's pieces as they arrive; raise ConnectionLost where it breaks off."""
        while True:
            while self.data:
                yield self.data.pop(0)
            if self.lost:
                raise ConnectionLost()
            if self.ended:
                return
            self._changed.clear()
            await self._changed.wait()


class EdgePeer(asyncio.Protocol):
    """One connection of a connector."""

    def __init__(self, world):
        self._world = world
        self._reader = wire.FrameReader()
        self._transport = None
        self._loop = asyncio.get_running_loop()
        self._last_stream = 0
        self._live_at = 0.0
        self._gone = False
        self.id = str(uuid.uuid4())
        self.tunnel = None
        self.connector = None
        self.index = None
        self.location = ""
        self.fingerprint = ""
        self.opened_at = 0.0
        self.draining = False
        self.replies = {}

    @property
    def live(self):
        """Whether a new request may be sent here."""
        return not self.draining and not self._gone and self._loop.time() >= self._live_at

    def connection_made(self, transport):
        """Remember the transport."""
        self._transport = transport

    def connection_lost(self, _error):
        """Forget the connection; its requests in flight are lost."""
        self._leave("lost")

    def data_received(self, data):
        """Handle what the connector sends."""
        try:
            for frame in self._reader.feed(data):
                self._on_frame(*frame)
        except (wire.WireError, ValueError, KeyError, TypeError):
            self._world.note("edge_protocol_errors")
            self._transport.abort()

    def send_request(self, method, target, headers, body):
        """Send one request, and return its stream number and Reply."""
        self._last_stream += 1
        stream = self._last_stream
        reply = self.replies[stream] = Reply(self._loop)
        self._transport.write(wire.request_frame(stream, method, target, headers, body))
        return stream, reply

    def cancel(self, stream):
        """Tell the connector that nobody waits for this response."""
        if self.replies.pop(stream, None) is not None and not self._gone:
            self._transport.write(wire.frame(wire.CANCEL, stream))
            self._close_if_drained()

    def drop(self, why):
        """Break the connection off, whatever it carries."""
        self._leave(why)
        self._transport.abort()

    def _on_frame(self, kind, stream, payload):
        reply = self.replies.get(stream)
        if kind == wire.RESPONSE_HEAD and reply:
            reply.on_head(payload)
        elif kind == wire.RESPONSE_DATA and reply:
            reply.on_data(payload)
        elif kind == wire.RESPONSE_END and reply:
            del self.replies[stream]
            reply.end()
            self._close_if_drained()
        elif kind == wire.CANCEL and reply:
            del self.replies[stream]
            reply.lose()
            self._close_if_drained()
        elif kind == wire.REGISTER:
            registration = json.loads(payload)
            delay = self._world.knobs.registration_delay_seconds
            if delay:
                self._loop.call_later(delay, self._register, registration)
            else:
                self._register(registration)
        elif kind == wire.UNREGISTER:
            self.draining = True
            self._world.note("unregistered", connector=self.connector and self.connector.id)
            self._close_if_drained()

    def _refusal(self, registration):
        """Return the text that refuses a registration, or an empty string."""
        knobs = self._world.knobs
        if knobs.registration_error:
            return knobs.registration_error
        tunnel = self._world.tunnels.get(registration["tunnel"])
        if tunnel is None or tunnel.deleted_at is not None:
            return UNKNOWN_TUNNEL
        wanted = tunnel.secret_before(knobs.propagation_lag_seconds)
        right_account = registration["account"] == tunnel.account
        if not right_account or not tokens.same_secret(registration["secret"], wanted):
            return INVALID_SECRET
        known = tunnel.connectors.get(registration["client"])
        if known is not None and registration["index"] in known.connections:
            return DUPLICATE
        return ""

    def _register(self, registration):
        if self._transport.is_closing():
            return
        text = self._refusal(registration)
        if text:
            self._world.note("registrations_refused", connector=registration["client"],
                             tunnel=registration["tunnel"], error=text)
            self._transport.write(wire.json_frame(wire.REFUSED, {"error": text}))
            self._transport.close()
            return
        self._join(registration)
        self._transport.write(wire.json_frame(
            wire.REGISTERED, {"connection": self.id, "location": self.location}))
        if self.tunnel.remote_config:
            service = self.tunnel.service or self._world.default_service
            self._transport.write(wire.json_frame(wire.CONFIG, {
                "version": self.tunnel.config_version,
                "config": {"ingress": [{"service": service}], "warp-routing": {}}}))

    def _join(self, registration):
        """Take the connection into the tunnel's list."""
        self.tunnel = self._world.tunnels[registration["tunnel"]]
        self.index = registration["index"]
        self.location = LOCATIONS[self.index % len(LOCATIONS)]
        self.fingerprint = tokens.fingerprint(self.tunnel.id, registration["secret"])
        self.opened_at = clock.now()
        self._live_at = self._loop.time() + self._world.knobs.live_delay_seconds
        connectors = self.tunnel.connectors
        self.connector = connectors.get(registration["client"])
        if self.connector is None:
            peername = self._transport.get_extra_info("peername")
            address = self._world.knobs.origin_ip or peername[0]
            self.connector = connectors[registration["client"]] = Connector(registration, address)
        self.connector.connections[self.index] = self
        self.tunnel.record_view()
        self._world.note("registrations_accepted", connector=self.connector.id, index=self.index,
                         tunnel=self.tunnel.id, fingerprint=self.fingerprint)

    def _close_if_drained(self):
        if self.draining and not self.replies and self._world.knobs.close_after_drain:
            self._transport.write(wire.frame(wire.GOODBYE))
            self._leave("drained")
            self._transport.close()

    def _leave(self, why):
        """Take the connection out of the tunnel's list, once."""
        if self._gone:
            return
        self._gone = True
        replies, self.replies = self.replies, {}
        for reply in replies.values():
            reply.lose()
        if self.connector is None:
            return
        self.connector.connections.pop(self.index, None)
        if not self.connector.connections:
            self.tunnel.connectors.pop(self.connector.id, None)
        self.tunnel.record_view()
        self._world.note("connections_closed", connector=self.connector.id, index=self.index,
                         why=why, in_flight=len(replies))


async def serve_edge(address, world):
    """Listen for connectors on (host, port)."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: EdgePeer(world), *address, backlog=512)
