"""Who may do what at the API: bearer credentials, their levels, and the rate limit."""

import hashlib

from model import clock

WRITE = "write"
READ = "read"


class ApiError(Exception):
    """A call that ends with an error body."""

    def __init__(self, status, *errors, headers=()):
        super().__init__(errors[0][1])
        self.status = status
        self.errors = [dict(zip(("code", "message", "error_chain"), error)) for error in errors]
        self.headers = list(headers)


class Credential:
    """An API token of a user or of an account."""

    def __init__(self, token, name="", level=WRITE, owner="user", accounts=None, status="active",
                 expires_on=None):
        if level not in (READ, WRITE) or owner not in ("user", "account"):
            raise ValueError("level is read or write, owner is user or account")
        self.token = token
        self.id = hashlib.sha256(token.encode()).hexdigest()[:32]
        self.name = name or self.id[:8]
        self.level = level
        self.owner = owner
        self.accounts = accounts
        self.status = status
        self.expires_on = expires_on
        self.forget_calls()

    def forget_calls(self):
        """Begin a new window, with all its calls left."""
        self._window_start = 0.0
        self._used = 0
        self._blocked_until = 0.0

    def allows(self, account, needs):
        """Return whether this credential is enough for such a call on this account."""
        if self.accounts is not None and account not in self.accounts:
            return False
        return needs == READ or self.level == WRITE

    def verify_value(self):
        """Return the result of a verify call."""
        value = {"id": self.id, "status": self.status}
        if self.expires_on:
            value["expires_on"] = self.expires_on
        return value

    def count_call(self, knobs):
        """Count one call; return (calls left, seconds to the window's end, blocked)."""
        now = clock.now()
        if now >= self._window_start + knobs.rate_window_seconds:
            self._window_start, self._used = now, 0
        self._used += 1
        if self._used > knobs.rate_quota and now >= self._blocked_until:
            self._blocked_until = now + knobs.rate_window_seconds
            self._window_start, self._used = now, knobs.rate_quota
        blocked = now < self._blocked_until
        end = self._blocked_until if blocked else self._window_start + knobs.rate_window_seconds
        return max(0, knobs.rate_quota - self._used), max(0.0, end - now), blocked


def authenticate(world, request, for_verify):
    """Return the Credential of a request, or raise the ApiError that the real API gives."""
    header = request.header("authorization")
    if not header:
        raise ApiError(400, (9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"))
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or len(token) < 8 or token.startswith("eyJ"):
        chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
        raise ApiError(400, (6003, "Invalid request headers", chain))
    found = next((item for item in world.credentials if item.token == token), None)
    if found is None or (found.status != "active" and not for_verify):
        if for_verify:
            raise ApiError(401, (1000, "Invalid API Token"))
        raise ApiError(403, (9109, "Invalid access token"))
    return found
