"""Puts the API on HTTP: authentication, rate limit, faults, headers and the log of calls."""

import asyncio
import math
import os
import time

from model import api, clock
from model.auth import ApiError, authenticate
from model.http_server import CLOSE, Response

HANG_SECONDS = 3600.0
HTML = (b"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head>"
        b"<body><h1>Sorry, you have been blocked</h1></body></html>")
THROTTLED = (971, "Please wait and consider throttling your request speed")


class ApiServer:
    """Handles the requests of the API's listener."""

    def __init__(self, world):
        self._world = world

    async def handle(self, request):
        """Answer one request, and log it."""
        world = self._world
        path, query = api.split_target(request.target)
        fault = world.knobs.fault_for(request.method, path)
        entry = {"n": world.counters["api_calls"] + 1, "at": clock.now(), "method": request.method,
                 "path": path, "query": request.target.partition("?")[2], "status": None,
                 "left": None,
                 "credential": None, "fault": fault.id if fault else None, "ms": None}
        world.counters["api_calls"] += 1
        world.calls.append(entry)
        started = time.monotonic()
        response = await self._answer(request, path, query, fault, entry)
        entry["ms"] = round((time.monotonic() - started) * 1000, 3)
        entry["status"] = response.status or None
        return response

    async def _answer(self, request, path, query, fault, entry):
        """Answer with or without the help of a fault."""
        if fault is not None:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.do == "hang":
                await asyncio.sleep(HANG_SECONDS)
                return CLOSE
            if fault.do == "close":
                return CLOSE
            if fault.do == "status":
                return self._fault_response(fault)
            if fault.do == "html":
                return self._finish(Response(
                    fault.status, HTML, [("content-type", "text/html; charset=UTF-8")]))
        response = self._apply(request, path, query, entry)
        if fault is not None:
            if fault.do == "apply-close":
                return CLOSE
            if fault.do == "apply-status":
                return self._fault_response(fault)
            if fault.do == "truncate":
                response.cut = "truncate"
        return response

    def _apply(self, request, path, query, entry):
        """Carry the call out, and return its answer."""
        limits = []
        try:
            credential = authenticate(self._world, request, api.is_verify(path))
            entry["credential"] = credential.name
            left, seconds, blocked = credential.count_call(self._world.knobs)
            entry["left"] = left
            limits = api.rate_headers(left, seconds, self._world.knobs)
            if blocked:
                raise ApiError(429, THROTTLED, headers=[("retry-after", math.ceil(seconds))])
            call = api.Call(self._world, credential, request.method, path, query, request.body)
            try:
                value = api.dispatch(call)
            finally:
                if call.fields is not None:
                    entry["fields"] = call.fields
                    entry["fingerprint"] = call.fingerprint
            return self._finish(Response.json(200, value), limits)
        except ApiError as error:
            body = api.error_envelope(error.errors)
            return self._finish(Response.json(error.status, body), [*limits, *error.headers])

    def _fault_response(self, fault):
        if isinstance(fault.body, str):
            response = Response(fault.status, fault.body.encode())
        elif fault.body is not None:
            response = Response.json(fault.status, fault.body)
        else:
            code, text = (THROTTLED if fault.status == 429 else (
                10000 if fault.status in (401, 403) else 1000 + fault.status, "Injected fault"))
            body = api.error_envelope([{"code": code, "message": text}])
            response = Response.json(fault.status, body)
        headers = list(fault.headers.items())
        if fault.status == 429 and "retry-after" not in {name.lower() for name in fault.headers}:
            headers.append(("retry-after", 1))
        return self._finish(response, headers)

    def _finish(self, response, headers=()):
        """Add the headers that every answer has."""
        response.headers += headers
        if not any(name == "ratelimit" for name, _ in response.headers):
            knobs = self._world.knobs
            response.headers += api.rate_headers(
                knobs.rate_quota, knobs.rate_window_seconds, knobs)
        response.headers += [
            ("date", clock.http_date(api.server_time(self._world))),
            ("cf-ray", os.urandom(8).hex() + "-TST"), ("server", "cloudflare")]
        return response
