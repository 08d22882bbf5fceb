"""The service behind the tunnels: answers at once, late, or piece by piece."""

import asyncio

from model.api import split_target
from model.http_server import Response

STREAM_INTERVAL = 0.1
MAX_SECONDS = 600.0


def seconds_of(text):
    """Return the seconds of `2`, `2s` or `200ms`, at most ten minutes."""
    scale = 0.001 if text.endswith("ms") else 1.0
    return min(MAX_SECONDS, max(0.0, float(text.removesuffix("ms").removesuffix("s")) * scale))


class OriginServer:
    """Handles `/?delay=2s`, `/stream?seconds=60`, `/echo`, and everything else with 200."""

    def __init__(self, world):
        self._world = world

    async def handle(self, request):
        """Answer one request."""
        self._world.counters["origin_requests"] += 1
        path, query = split_target(request.target)
        try:
            delay = seconds_of(query.get("delay", ["0"])[-1])
            length = seconds_of(query.get("seconds", ["0"])[-1])
            status = int(query.get("status", ["200"])[-1])
        except ValueError:
            return Response(400, b"bad query\n")
        if delay:
            await asyncio.sleep(delay)
        if path == "/stream":
            return Response(200, headers=[("content-type", "text/event-stream")],
                            stream=self._events(length))
        if path == "/echo":
            return Response(status, request.body, [("content-type", "application/octet-stream")])
        return Response(status, b"hello from the origin\n", [("content-type", "text/plain")])

    @staticmethod
    async def _events(length):
        for number in range(max(1, round(length / STREAM_INTERVAL))):
            yield b"data: %d\n\n" % number
            await asyncio.sleep(STREAM_INTERVAL)
