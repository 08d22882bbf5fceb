"""The control side for tests: what the model saw, and its knobs."""

import json

from model import clock
from model.api import split_target
from model.http_server import Response
from model.state import Tunnel


class ControlServer:
    """Handles the requests of the control listener; nothing here is part of Cloudflare."""

    def __init__(self, world, addresses):
        self._world = world
        self._addresses = addresses

    async def handle(self, request):
        """Answer one request."""
        path, query = split_target(request.target)
        parts = [part for part in path.split("/") if part]
        name = "%s_%s" % (request.method.lower(), parts[0] if parts else "state")
        function = getattr(self, "_" + name, None)
        if function is None:
            return Response.json(404, {"error": "no such control: %s %s" % (request.method, path)})
        try:
            body = json.loads(request.body) if request.body else {}
            return function(parts[1:], query, body)
        except (ValueError, TypeError, KeyError) as error:
            return Response.json(400, {"error": "%s: %s" % (type(error).__name__, error)})

    def _get_state(self, _parts, query, _body):
        """GET /state: everything but the secrets; ?calls_since=N leaves older calls out."""
        world = self._world
        since = int(query.get("calls_since", ["0"])[-1])
        return Response.json(200, {
            "now": clock.now(), "addresses": self._addresses,
            "tunnels": {key: item.state_value() for key, item in world.tunnels.items()},
            "counters": dict(world.counters),
            "calls": [entry for entry in world.calls if entry["n"] > since],
            "knobs": world.knobs.value()})

    def _get_events(self, _parts, query, _body):
        """GET /events: registrations, refusals, losses, evictions, PATCHes with their times."""
        since = float(query.get("since", ["0"])[-1])
        events = [event for event in self._world.events if event["at"] > since]
        return Response.json(200, {"events": events})

    def _get_knobs(self, _parts, _query, _body):
        """GET /knobs: their present positions."""
        return Response.json(200, self._world.knobs.value())

    def _post_knobs(self, _parts, _query, body):
        """POST /knobs: set the named knobs; `faults` replaces the list of faults."""
        self._world.knobs.update(body)
        return Response.json(200, self._world.knobs.value())

    def _delete_knobs(self, _parts, _query, _body):
        """DELETE /knobs: everything back to its default."""
        self._world.knobs.reset()
        return Response.json(200, self._world.knobs.value())

    def _post_faults(self, _parts, _query, body):
        """POST /faults: add one fault."""
        return Response.json(200, self._world.knobs.add_fault(body).value())

    def _delete_faults(self, _parts, _query, _body):
        """DELETE /faults: forget all faults and leave the other knobs alone."""
        self._world.knobs.faults = []
        return Response.json(200, self._world.knobs.value())

    def _delete_limits(self, _parts, _query, _body):
        """DELETE /limits: no credential has made a call yet."""
        for credential in self._world.credentials:
            credential.forget_calls()
        return Response.json(200, {})

    def _get_secret(self, parts, _query, _body):
        """GET /secret/TUNNEL: secret and token of now, and all secrets, for tests only."""
        tunnel = self._tunnel(parts[0] if parts else "")
        return Response.json(200, {
            "account": tunnel.account, "tunnel": tunnel.id, "secret": tunnel.secret,
            "token": tunnel.token(tunnel.secret),
            "secrets": [secret for _, secret in tunnel.secrets]})

    def _post_drop(self, _parts, _query, body):
        """POST /drop {connector | tunnel, count?, index?}: break connections off."""
        if "connector" in body:
            connector = self._world.connector(body["connector"])
            connectors = [connector] if connector else []
        else:
            connectors = list(self._tunnel(body["tunnel"]).connectors.values())
        peers = [peer for connector in connectors for peer in connector.connections.values()
                 if body.get("index") in (None, peer.index)]
        dropped = peers[:body.get("count", len(peers))]
        for peer in dropped:
            peer.drop("dropped")
        return Response.json(200, {"dropped": len(dropped)})

    def _post_tunnels(self, _parts, _query, body):
        """POST /tunnels: create a tunnel, or change one (a secret set here is a foreign PATCH)."""
        known = self._world.tunnels.get(body.get("id", "").lower())
        if known is None:
            self._world.add_tunnel(Tunnel(**body))
            return Response.json(201, self._tunnel(body["id"]).state_value())
        for name in ("name", "service", "config_version", "hostnames"):
            if name in body:
                setattr(known, name, body[name])
        if "secret" in body:
            known.set_secret(body["secret"])
            self._world.note("patched", tunnel=known.id, by="control")
        if "deleted" in body:
            known.deleted_at = clock.now() if body["deleted"] else None
        return Response.json(200, known.state_value())

    def _tunnel(self, tunnel_id):
        tunnel = self._world.tunnels.get(tunnel_id.lower())
        if tunnel is None:
            raise KeyError("no tunnel %s" % tunnel_id)
        return tunnel
