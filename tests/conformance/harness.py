"""Starts the model, connectors and traffic for the tests, and talks to them."""

import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time
import uuid

SANDBOX = pathlib.Path(__file__).resolve().parent.parent / "sandbox"
STAND_IN = SANDBOX / "cloudflared" / "cloudflared"
MODEL = SANDBOX / "cloudflare" / "sandbox-cloudflare"
MAKE_CERTIFICATES = SANDBOX / "cloudflare" / "make-certificates"
TRAFFIC = SANDBOX / "traffic" / "traffic"

ACCOUNT = "699d98642c564d2e855e9661899b7252"
WRITE_TOKEN = "cfut_write-0000000000000000000000000001"
READ_TOKEN = "cfut_read-00000000000000000000000000001"
ACCOUNT_TOKEN = "cfat_write-0000000000000000000000000001"
ELSEWHERE_TOKEN = "cfut_elsewhere-000000000000000000000001"
PATIENCE = 10.0
SETTLED_REQUESTS = 20
QUIET_STATE = "/state?calls_since=1000000"


def wait_until(condition, what, seconds=PATIENCE, step=0.02):
    """Return the first true value of `condition()`, or fail after this many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "waited %g s in vain for %s" % (seconds, what)
        time.sleep(step)


def new_secret():
    """Return a new random tunnel secret as the API takes it."""
    return base64.b64encode(os.urandom(32)).decode()


def encode_token(value):
    """Return the token text of any JSON value, or of bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.b64encode(data).decode()


def cpu_seconds(pid):
    """Return the processor time that a process has used so far."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    """Return a TCP port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http_get(address, path, headers=None, timeout=PATIENCE):
    """Return (status, headers, body) of one GET, or (None, {}, b"") without an answer."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    except (OSError, http.client.HTTPException):
        return None, {}, b""
    finally:
        connection.close()


class Tunnel:
    """A tunnel of the model, and the token it was made with."""

    def __init__(self, model, secret):
        self.model = model
        self.id = str(uuid.uuid4())
        self.secret = secret
        self.host = self.id[:8] + ".example.test"
        self.path = "/accounts/%s/cfd_tunnel/%s" % (ACCOUNT, self.id)
        self.token = encode_token({"a": ACCOUNT, "t": self.id, "s": secret})

    def state(self):
        """Return what the model knows of this tunnel."""
        return self.model.control("GET", QUIET_STATE)["tunnels"][self.id]

    def connectors(self):
        """Return the ids of the connectors the edge has for this tunnel."""
        return [item["id"] for item in self.state()["connectors"]]

    def connections(self):
        """Return how many connections the edge has for this tunnel."""
        return sum(item["connections"] for item in self.state()["connectors"])

    def live(self):
        """Return how many connections take requests."""
        return sum(item["live"] for item in self.state()["connectors"])

    def rotate(self):
        """PATCH a new secret at the API, and return the new token."""
        secret = new_secret()
        status, _, _ = self.model.api("PATCH", self.path, {"tunnel_secret": secret})
        assert status == 200
        return encode_token({"a": ACCOUNT, "t": self.id, "s": secret})

    def set_secret(self, secret):
        """Set the secret behind the API's back."""
        self.model.control("POST", "/tunnels", {"id": self.id, "secret": secret})

    def credentials(self, **changes):
        """Return the text of a credentials file for this tunnel."""
        value = {"AccountTag": ACCOUNT, "TunnelSecret": self.secret, "TunnelID": self.id, **changes}
        return json.dumps({key: item for key, item in value.items() if item is not None})

    def get(self, path="/", timeout=PATIENCE):
        """Make one request to the public side; return its status, or None."""
        return http_get(self.model.addresses["public"], path, {"Host": self.host}, timeout)[0]


class Model:
    """The running model of Cloudflare."""

    def __init__(self, directory):
        subprocess.run([MAKE_CERTIFICATES, directory / "certs"], check=True, timeout=30)
        self.certificates = directory / "certs"
        config = {
            "tls": {"certificate": "certs/server.pem", "key": "certs/server.key"},
            "credentials": [
                {"token": WRITE_TOKEN, "name": "write"},
                {"token": READ_TOKEN, "name": "read", "level": "read"},
                {"token": ACCOUNT_TOKEN, "name": "account", "owner": "account"},
                {"token": ELSEWHERE_TOKEN, "name": "elsewhere", "accounts": ["0" * 32]}]}
        (directory / "config.json").write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [MODEL, directory / "config.json"], stdout=subprocess.PIPE, text=True)
        self.addresses = json.loads(self.process.stdout.readline())
        self.start_cpu_seconds = cpu_seconds(self.process.pid)
        self._tls = ssl.create_default_context(cafile=self.certificates / "ca.pem")

    def stop(self):
        """End the process."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        self.process.stdout.close()

    def control(self, method, path, body=None):
        """Make one call of the control side, and return its answer."""
        connection = http.client.HTTPConnection(self.addresses["control"], timeout=PATIENCE)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            value = json.loads(response.read())
        finally:
            connection.close()
        assert response.status < 300, value
        return value

    def api(self, method, path, body=None, token=WRITE_TOKEN, headers=None, timeout=PATIENCE):
        """Make one call of the API; return (status, decoded body, headers)."""
        connection = self.api_connection(timeout)
        try:
            return self.call(connection, method, path, body, token, headers)
        finally:
            connection.close()

    def api_connection(self, timeout=PATIENCE):
        """Return a new TLS connection to the API."""
        return http.client.HTTPSConnection(
            self.addresses["api"], timeout=timeout, context=self._tls)

    @staticmethod
    def call(connection, method, path, body=None, token=WRITE_TOKEN, headers=None):
        """Make one API call on an open connection."""
        given = {"Authorization": "Bearer " + token} if token else {}
        given.update(headers or {})
        data = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, "/client/v4" + path, data, given)
        response = connection.getresponse()
        text = response.read()
        got = {name.lower(): value for name, value in response.getheaders()}
        return response.status, json.loads(text) if text[:1] == b"{" else text, got

    def new_tunnel(self, secret=None, **more):
        """Create a tunnel for one test."""
        tunnel = Tunnel(self, secret or new_secret())
        self.control("POST", "/tunnels", {
            "account": ACCOUNT, "id": tunnel.id, "secret": tunnel.secret,
            "hostnames": [tunnel.host], **more})
        return tunnel


class Connector:
    """A running cloudflared, or one that has ended."""

    def __init__(self, binary, directory, edge, arguments, environment):
        self.log_path = directory / ("log-%d" % time.monotonic_ns())
        notify_path = str(directory / "notify")[:90]
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(notify_path)
        self._notify.setblocking(False)
        self.notifications = []
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, *arguments], stdout=log, stderr=log, cwd=directory,
                env={"HOME": str(directory), "PATH": os.environ["PATH"], "TUNNEL_EDGE": edge,
                     "NO_AUTOUPDATE": "true", "TUNNEL_NO_PRECHECKS": "true",
                     "NOTIFY_SOCKET": notify_path, **environment})

    def log(self):
        """Return everything the process has written."""
        return self.log_path.read_text(errors="replace")

    def wait_exit(self, seconds=PATIENCE):
        """Return the exit status (negative for a signal), or fail after this many seconds."""
        return self.process.wait(seconds)

    def send(self, number):
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self, seconds=PATIENCE):
        """Stop gracefully, and return the exit status."""
        self.send(signal.SIGTERM)
        return self.wait_exit(seconds)

    def kill(self):
        """End the process at once, and free what belongs to it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        self._notify.close()

    def received(self):
        """Return all notifications so far."""
        while True:
            try:
                self.notifications.append(self._notify.recv(4096).decode())
            except BlockingIOError:
                return self.notifications

    def wait_ready(self, seconds=PATIENCE):
        """Wait for READY=1."""
        def ready():
            assert self.process.poll() is None, self.log()
            return self.received()
        wait_until(ready, "READY=1", seconds, 0.005)
        return self

    def _logged(self, start):
        for line in self.log().splitlines():
            if start in line:
                return line.split(start, 1)[1].strip()
        return None

    def wait_logged(self, start, seconds=PATIENCE):
        """Wait for a log line with this text, and return the rest of the line."""
        return wait_until(lambda: self._logged(start), "the log line " + start, seconds)

    def connector_id(self):
        """Return the connector id from the log."""
        return self.wait_logged("Generated Connector ID:").split()[0]

    def metrics_address(self):
        """Return host:port of the metrics server from the log."""
        return self.wait_logged("Starting metrics server on").split("/")[0]

    def get(self, path):
        """Return (status, headers, body) of one GET to the metrics server."""
        return http_get(self.metrics_address(), path)

    def ready(self):
        """Return (status, decoded body) of /ready."""
        status, _, body = self.get("/ready")
        return status, json.loads(body) if body else {}

    def connections(self):
        """Return readyConnections."""
        return self.ready()[1].get("readyConnections", -1)

    def metric(self, line_start):
        """Return the value of the first metric line that starts so, or 0."""
        for line in self.get("/metrics")[2].decode().splitlines():
            if line.startswith(line_start):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def refusals(self):
        """Return how many registrations were refused by the edge, as the metrics tell."""
        return self.metric('cloudflared_tunnel_tunnel_register_fail{error="server_error"')


class Traffic:
    """The load generator at work on one tunnel."""

    def __init__(self, tunnel, directory, rate=100, slow_rate=0, slow_delay="1s"):
        self._summary = directory / "summary.json"
        self._model = tunnel.model
        self.process = subprocess.Popen([
            TRAFFIC, "--url", "http://%s/" % tunnel.model.addresses["public"], "--host",
            tunnel.host, "--rate", str(rate), "--slow-rate", str(slow_rate), "--slow-delay",
            slow_delay, "--output", os.devnull, "--summary", self._summary])

    def settle(self):
        """Wait until more requests arrive at the public side."""
        def arrived():
            return self._model.control("GET", QUIET_STATE)["counters"].get("public_requests", 0)
        before = arrived()
        wait_until(lambda: arrived() >= before + SETTLED_REQUESTS, "traffic")

    def finish(self):
        """Stop, and return the summary."""
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0
        return json.loads(self._summary.read_text())

    def kill(self):
        """End the process at once."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
