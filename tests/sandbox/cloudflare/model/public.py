"""The public side: sends each request once to one live connection, and never again."""

import random

from model.edge import ConnectionLost
from model.http_server import Response

HOP_HEADERS = ("connection", "keep-alive", "transfer-encoding", "content-length")
REASON = "x-sandbox-reason"


class PublicServer:
    """Handles the requests of the public listener."""

    def __init__(self, world):
        self._world = world

    async def handle(self, request):
        """Answer one request: 530 without a live connection, 502 if it is lost on its way."""
        counters = self._world.counters
        counters["public_requests"] += 1
        tunnel = self._world.tunnel_of_host(request.header("host"))
        if tunnel is None:
            return Response(404, b"no tunnel has this host name\n", [(REASON, "unknown-host")])
        peers = [peer for connector in tunnel.connectors.values()
                 for peer in connector.connections.values() if peer.live]
        if not peers:
            self._lose(tunnel, 530, None)
            return Response(530, b"error code: 1033\n", [(REASON, "no-live-connection")])
        peer = random.choice(peers)
        connector = peer.connector.id
        headers = [pair for pair in request.headers if pair[0] not in HOP_HEADERS]
        stream, reply = peer.send_request(request.method, request.target, headers, request.body)
        try:
            head = await reply.head
        except ConnectionLost:
            self._lose(tunnel, 502, connector)
            return Response(502, b"error code: 502\n", [(REASON, "connection-lost")])
        except BaseException:
            peer.cancel(stream)
            raise
        counters["public_status_%d" % head["status"]] += 1
        headers = [tuple(pair) for pair in head["headers"]]
        headers.append(("x-sandbox-connector", connector))
        if reply.ended:
            return Response(head["status"], b"".join(reply.data), headers)
        return Response(head["status"], headers=headers,
                        stream=self._pieces(peer, stream, reply, tunnel))

    def _lose(self, tunnel, status, connector):
        self._world.counters["public_status_%d" % status] += 1
        self._world.note("requests_lost", tunnel=tunnel.id, status=status, connector=connector)

    async def _pieces(self, peer, stream, reply, tunnel):
        """Give the body on; a loss breaks the client's connection, too."""
        try:
            async for piece in reply.pieces():
                yield piece
        except ConnectionLost:
            self._world.note("requests_lost", tunnel=tunnel.id, status="cut",
                             connector=peer.connector.id)
            raise ConnectionResetError("the connector went away") from None
        finally:
            peer.cancel(stream)
