"""The calls of Cloudflare's API under /client/v4, without faults and without transport."""

import json
import re
import uuid
from urllib.parse import parse_qs

from model import clock, tokens
from model.auth import READ, WRITE, ApiError

BASE = "/client/v4"
UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ACCOUNT = r"/accounts/(?P<account>[0-9a-zA-Z]{1,32})"
TUNNEL = ACCOUNT + r"/cfd_tunnel/(?P<tunnel>%s)" % UUID
MAX_PER_PAGE = 1000


def envelope(result, messages=(), **more):
    """Return the body of a success."""
    return {"success": True, "errors": [], "messages": list(messages), "result": result, **more}


def error_envelope(errors):
    """Return the body of a failure."""
    return {"success": False, "errors": errors, "messages": [], "result": None}


def no_route(path):
    """Return the error for a path or an object that does not exist."""
    message = "Could not route to %s, perhaps your object identifier is invalid?" % path
    return ApiError(404, (7003, message), (7000, "No route for that URI"))


class Call:
    """One call after its authentication."""

    def __init__(self, world, credential, method, path, query, body):
        self.world = world
        self.credential = credential
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self.fields = None
        self.fingerprint = None

    def parameter(self, name):
        """Return the last value of a query parameter, or None."""
        return self.query.get(name, [None])[-1]

    def tunnel(self, match, allow_deleted=False):
        """Return the tunnel that the path names, or raise the API's error."""
        found = self.world.tunnels.get(match["tunnel"].lower())
        if found is None or found.account != match["account"]:
            raise no_route(self.path)
        if found.deleted_at is not None and not allow_deleted:
            raise no_route(self.path)
        return found


def list_tunnels(call, match):
    """GET cfd_tunnel: one page of the account's tunnels."""
    found = [item for item in call.world.tunnels.values() if item.account == match["account"]]
    deleted = call.parameter("is_deleted")
    if deleted is not None:
        found = [item for item in found if (item.deleted_at is not None) == (deleted == "true")]
    for name, value in (("name", "name"), ("uuid", "id")):
        wanted = call.parameter(name)
        if wanted is not None:
            found = [item for item in found if getattr(item, value) == wanted]
    if call.parameter("status") is not None:
        found = [item for item in found if item.status() == call.parameter("status")]
    try:
        size = int(call.parameter("per_page") or 20)
        page = int(call.parameter("page") or 1)
    except ValueError:
        raise ApiError(400, (1003, "Invalid page or per_page")) from None
    if not 1 <= size <= MAX_PER_PAGE or page < 1:
        raise ApiError(400, (1003, "Invalid page or per_page"))
    shown = found[(page - 1) * size:page * size]
    info = {"count": len(shown), "page": page, "per_page": size, "total_count": len(found),
            "total_pages": -(-len(found) // size)}
    return envelope([item.api_value() for item in shown], result_info=info)


def get_tunnel(call, match):
    """GET cfd_tunnel/{id}: the tunnel object; a deleted one still answers."""
    return envelope(call.tunnel(match, allow_deleted=True).api_value())


def patch_tunnel(call, match):
    """PATCH cfd_tunnel/{id}: a new name, a new secret, or both."""
    tunnel = call.tunnel(match)
    try:
        body = json.loads(call.body)
        if not isinstance(body, dict):
            raise ValueError("no object")
    except ValueError:
        raise ApiError(400, (6007, "Malformed JSON in request body")) from None
    call.fields = sorted(body)
    name, secret = body.get("name"), body.get("tunnel_secret")
    if not all(value is None or isinstance(value, str) for value in (name, secret)):
        raise ApiError(400, (1003, "Bad request: wrong type"))
    if name is not None and any(item.name == name and item is not tunnel and not item.deleted_at
                                and item.account == tunnel.account
                                for item in call.world.tunnels.values()):
        raise ApiError(409, (1013, "You already have a tunnel with this name"))
    if secret is not None:
        try:
            tokens.check_secret(secret)
        except ValueError as error:
            raise ApiError(400, (1003, "Invalid tunnel secret: %s" % error)) from None
        call.fingerprint = tokens.fingerprint(tunnel.id, secret)
        tunnel.set_secret(secret)
        call.world.note("patched", tunnel=tunnel.id, fingerprint=call.fingerprint)
    if name is not None:
        tunnel.name = name
    result = tunnel.api_value()
    if call.world.knobs.patch_returns_token:
        result["token"] = tunnel.token(tunnel.secret)
    return envelope(result)


def get_token(call, match):
    """GET cfd_tunnel/{id}/token: the token as a plain string."""
    tunnel = call.tunnel(match)
    secret = tunnel.secret_before(call.world.knobs.stale_token_seconds)
    return envelope(tunnel.token(secret))


def get_connections(call, match):
    """GET cfd_tunnel/{id}/connections: all connectors and their connections."""
    tunnel = call.tunnel(match, allow_deleted=True)
    return envelope(tunnel.view_before(call.world.knobs.connections_lag_seconds))


def delete_connections(call, match):
    """DELETE cfd_tunnel/{id}/connections: drop one connector's connections, or all."""
    tunnel = call.tunnel(match)
    wanted = call.parameter("client_id")
    if wanted is not None:
        try:
            wanted = str(uuid.UUID(wanted))
        except ValueError:
            raise ApiError(400, (1003, "Invalid client_id")) from None
    for connector in list(tunnel.connectors.values()):
        if wanted in (None, connector.id):
            for peer in list(connector.connections.values()):
                peer.drop("evicted")
    call.world.note("evicted", tunnel=tunnel.id, client=wanted)
    return envelope({})


def get_connector(call, match):
    """GET cfd_tunnel/{id}/connectors/{connector}: one connector."""
    view = call.tunnel(match).view_before(call.world.knobs.connections_lag_seconds)
    wanted = match["connector"].lower()
    found = next((item for item in view if item["id"] == wanted), None)
    if found is None:
        raise no_route(call.path)
    return envelope(found)


def verify_user_token(call, _match):
    """GET /user/tokens/verify: only for tokens that belong to a user."""
    return _verify(call, "user")


def verify_account_token(call, match):
    """GET /accounts/{a}/tokens/verify: only for tokens that belong to that account."""
    accounts = call.credential.accounts
    if accounts is not None and match["account"] not in accounts:
        raise ApiError(401, (1000, "Invalid API Token"))
    return _verify(call, "account")


def _verify(call, owner):
    if call.credential.owner != owner:
        raise ApiError(401, (1000, "Invalid API Token"))
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    active = call.credential.status == "active"
    return envelope(call.credential.verify_value(), [message] if active else [])


ROUTES = [(re.compile(pattern), calls) for pattern, calls in (
    (ACCOUNT + "/cfd_tunnel", {"GET": (READ, list_tunnels)}),
    (TUNNEL, {"GET": (READ, get_tunnel), "PATCH": (WRITE, patch_tunnel)}),
    (TUNNEL + "/token", {"GET": (WRITE, get_token)}),
    (TUNNEL + "/connections",
     {"GET": (READ, get_connections), "DELETE": (WRITE, delete_connections)}),
    (TUNNEL + r"/connectors/(?P<connector>%s)" % UUID, {"GET": (READ, get_connector)}),
    ("/user/tokens/verify", {"GET": (None, verify_user_token)}),
    (ACCOUNT + "/tokens/verify", {"GET": (None, verify_account_token)}),
)]


def is_verify(path):
    """Return whether this is one of the two calls that check a token."""
    return path.endswith("/tokens/verify")


def dispatch(call):
    """Answer a call: return its body, or raise ApiError."""
    path = call.path.removeprefix(BASE)
    for pattern, calls in ROUTES:
        match = pattern.fullmatch(path) if call.path.startswith(BASE) else None
        if match is None:
            continue
        if call.method not in calls:
            raise ApiError(405, (10405, "Method not allowed for this authentication scheme"))
        needs, function = calls[call.method]
        account = match.groupdict().get("account")
        if needs is not None and not call.credential.allows(account, needs):
            raise ApiError(403, (10000, "Authentication error"))
        return function(call, match)
    raise no_route(call.path)


def split_target(target):
    """Return the path and the query (a dictionary of lists) of a request target."""
    path, _, query = target.partition("?")
    return path, parse_qs(query, keep_blank_values=True)


def rate_headers(left, seconds, knobs):
    """Return the headers that tell a client its budget."""
    return [("ratelimit", '"default";r=%d;t=%d' % (left, round(seconds))),
            ("ratelimit-policy", '"default";q=%d;w=%d' % (
                knobs.rate_quota, round(knobs.rate_window_seconds)))]


def server_time(world):
    """Return the time the API believes in."""
    return clock.now() + world.knobs.clock_skew_seconds
