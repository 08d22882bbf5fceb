"""The model of Cloudflare inside a test host, and its control side from outside."""

import base64
import contextlib
import datetime
import http.client
import json
import os
import socket
import subprocess
import uuid

from scenario.places import MAKE_CERTIFICATES, MODEL
from scenario.waiting import wait_until

ACCOUNT = "699d98642c564d2e855e9661899b7252"
WRITE_TOKEN = "cfut_write-0000000000000000000000000001"
READ_TOKEN = "cfut_read-00000000000000000000000000001"
EXPIRING_TOKEN = "cfut_soon-00000000000000000000000000001"
EXPIRED_TOKEN = "cfut_late-00000000000000000000000000001"
EXPIRES_IN = datetime.timedelta(days=10)
API_URL = "https://api.cloudflare.test:8443/client/v4"
PUBLIC = "127.0.0.1:8080"
UNIT = "sandbox-cloudflare.service"
PATIENCE = 10.0
# The oldest call that /state shows, for callers who want to see none.
NO_CALLS = "/state?calls_since=1000000000"


def new_secret():
    """Return a new random tunnel secret as the API takes it."""
    return base64.b64encode(os.urandom(32)).decode()


def token_text(tunnel, secret):
    """Return the token of a tunnel and a secret, as Cloudflare writes it."""
    value = {"a": ACCOUNT, "t": tunnel, "s": secret}
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def decoded(token):
    """Return what a token says; the order of its keys is of no meaning."""
    return json.loads(base64.b64decode(token))


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket file, however long its path is."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self):
        """Connect; through /proc, because a socket's name has at most 107 bytes."""
        directory = os.open(self._path.parent, os.O_PATH)
        try:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect("/proc/self/fd/%d/%s" % (directory, self._path.name))
        finally:
            os.close(directory)


class Cloudflare:
    """The model in one host, as one tunnel knows it."""

    def __init__(self, host, name="web", knobs=None, address="127.0.0.1",
                 api_address="127.0.0.1"):
        self._host = host
        self._address = address
        self._api_address = api_address
        self._knobs = knobs or {}
        self._share = host.directory / "share"
        self._others = []
        self.name = name
        self.tunnel = str(uuid.uuid4())
        self.hostname = name + ".example.test"
        self.first_secret = new_secret()

    def beside(self, name):
        """Return the same model as another tunnel knows it, which `start` will add."""
        other = Cloudflare(self._host, name)
        self._others.append(other)
        return other

    def _tunnel_config(self):
        return {"account": ACCOUNT, "id": self.tunnel, "name": self.name,
                "secret": self.first_secret, "hostnames": [self.hostname]}

    def start(self):
        """Start it with all tunnels and API tokens: one may write, one only read, one expires."""
        expires = (datetime.datetime.now(datetime.timezone.utc) + EXPIRES_IN).strftime(
            "%Y-%m-%dT%H:%M:%SZ")
        subprocess.run([MAKE_CERTIFICATES, self._share / "certs"], check=True, timeout=30)
        config = {
            "listen": {"api": self._api_address + ":8443", "edge": self._address + ":7844",
                       "public": PUBLIC, "origin": self._address + ":8000",
                       "control": "unix:/mnt/share/control.sock"},
            "tls": {"certificate": "certs/server.pem", "key": "certs/server.key"},
            "knobs": self._knobs,
            "credentials": [{"token": WRITE_TOKEN, "name": "write"},
                            {"token": READ_TOKEN, "name": "read", "level": "read"},
                            {"token": EXPIRING_TOKEN, "name": "soon", "expires_on": expires},
                            {"token": EXPIRED_TOKEN, "name": "late", "status": "expired"}],
            "tunnels": [item._tunnel_config() for item in (self, *self._others)]}
        with open(self._share / "cloudflare.json", "w", encoding="utf-8",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(config, file)
        self._host.run("systemd-run", "--quiet", "--unit=" + UNIT, "--service-type=notify", MODEL,
                       "/mnt/share/cloudflare.json")

    def control(self, method, path, body=None):
        """Make one call of the control side, and return its answer."""
        with contextlib.closing(UnixConnection(self._share / "control.sock")) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            value = json.loads(response.read())
        assert response.status < 300, value
        return value

    def knobs(self, **values):
        """Set some knobs."""
        return self.control("POST", "/knobs", values)

    def fault(self, do, **rule):
        """Let calls of the API fail."""
        return self.control("POST", "/faults", {"do": do, **rule})

    def wait_fault(self, fault, seconds=PATIENCE):
        """Wait until a call has met this fault; what it does may still be under way."""
        def met():
            faults = self.control("GET", "/knobs")["faults"]
            return any(item["id"] == fault["id"] and item["hits"] for item in faults)
        wait_until(met, "a call that meets %s" % fault, seconds)

    def heal(self):
        """Put every knob back to the start, and forget all faults and how often was called."""
        self.control("DELETE", "/knobs")
        self.control("DELETE", "/limits")

    def drop(self, **what):
        """Break connections off."""
        return self.control("POST", "/drop", what)["dropped"]

    def tunnel_state(self):
        """Return the tunnel: fingerprints and connectors."""
        return self.control("GET", NO_CALLS)["tunnels"][self.tunnel]

    def connectors(self):
        """Return the tunnel's connectors by id."""
        return {item["id"]: item for item in self.tunnel_state()["connectors"]}

    def fingerprint(self):
        """Return the fingerprint of the secret that the API holds."""
        return self.tunnel_state()["fingerprint"]

    def current(self):
        """Return secret and token as the API holds them."""
        return self.control("GET", "/secret/" + self.tunnel)

    def secrets(self):
        """Return every secret that the tunnel has had."""
        return self.current()["secrets"]

    def calls(self, method=None):
        """Return the API calls so far, of one method or of all."""
        calls = self.control("GET", "/state")["calls"]
        return [call for call in calls if method in (None, call["method"])]

    def events(self, name=None, since=0.0):
        """Return what happened at the edge and the API, of one kind or all."""
        events = self.control("GET", "/events?since=%f" % since)["events"]
        return [event for event in events if name in (None, event["event"])]

    def rotate_by_hand(self, secret=None):
        """PATCH a new secret (or this one) at the API with curl, and return its token."""
        secret = secret or new_secret()
        url = "%s/accounts/%s/cfd_tunnel/%s" % (API_URL, ACCOUNT, self.tunnel)
        self._host.run("curl", "--fail", "--silent", "--show-error", "--output", "/dev/null",
                       "--cacert", "/mnt/share/certs/ca.pem", "--request", "PATCH", url,
                       "--header", "Authorization: Bearer " + WRITE_TOKEN,
                       "--json", json.dumps({"tunnel_secret": secret}))
        return token_text(self.tunnel, secret)
