"""The program: reads the command line, builds the parts once, and runs them."""

import os
import signal
import sys

from connector.configfile import ConfigError, expand, find_config, read_config
from connector.credentials import StartError, find_credentials, usage_error
from connector.flags import UsageError, format_duration, parse_command_line, parse_duration
from connector.log import Log
from connector.tracker import VERSION, Tracker

MAX_GRACE_SECONDS = 180.0
DEFAULT_EDGE = "edge.cloudflare.test:7844"
VERSION_TEXT = "cloudflared version %s (built 2026-08-14-10:21 UTC)" % VERSION
TIME_SCALE_VARIABLE = "SANDBOX_TIME_SCALE"


class Settings:
    """The numbers that steer the supervisor."""

    def __init__(self, options, environment):
        self.retries = int(options.get("retries"))
        self.connections = int(options.get("ha-connections"))
        self.grace_seconds = parse_duration(options.get("grace-period"))
        self.time_scale = float(environment.get(TIME_SCALE_VARIABLE) or 1)
        if self.grace_seconds > MAX_GRACE_SECONDS:
            limit = format_duration(MAX_GRACE_SECONDS)
            raise StartError("grace-period must be equal or less than %s" % limit, 1)


class Identity:
    """What every connection to the edge shares."""

    def __init__(self, credentials, tracker, protocol, features, edge, origin, log):
        self.credentials = credentials
        self.features = features  # In addition to those that it always announces.
        self.tracker = tracker
        self.protocol = protocol
        self.edge = edge
        self.origin = origin
        self.log = log

    def use_config(self, pushed):
        """Take the configuration that the edge pushed."""
        if pushed["version"] <= self.tracker.config["version"]:
            return
        self.tracker.config = pushed
        ingress = pushed["config"].get("ingress") or [{}]
        self.origin.set_service(ingress[0].get("service", ""))
        self.log.info("Updated to new configuration", version=pushed["version"])


def choose_protocol(options):
    """Return quic or http2; `auto` depends on whether the token itself was given."""
    text = options.get("protocol")
    if text in ("quic", "http2"):
        return text
    if text == "h2mux":
        return "http2"
    if text != "auto":
        raise StartError("unknown protocol %s, Available protocols: 'auto' - automatically chooses "
                         "the best protocol over time (the default; and also the recommended one); "
                         "'quic' - based on QUIC, relying on UDP egress to Cloudflare edge; 'http2'"
                         " - using Go's HTTP2 library, relying on TCP egress to Cloudflare edge"
                         % text, 1)
    return "quic" if options.is_set("token") else "http2"


def parse_edge(text):
    """Return (host, port) of the first edge address."""
    host, _, port = text.split(",")[0].rpartition(":")
    return host.strip("[]"), int(port)


def notify_ready():
    """Tell the service manager, once, that the first connection is registered."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    import socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        try:
            sender.connect("\0" + address[1:] if address.startswith("@") else address)
            sender.send(b"READY=1")
        except OSError:
            pass


def load_config(options, environment):
    """Return the top-level values of the config file that applies."""
    given = options.given.get("config")
    path = expand(given, environment) if given else find_config(environment)
    if not path:
        return {}
    try:
        return read_config(path)
    except ConfigError as error:
        raise StartError(str(error), 1) from None


def run_tunnel(options, environment):
    """Run `cloudflared tunnel run` until a signal or a fatal error; return the exit status."""
    values = load_config(options, environment)
    options.use_config_file(values)
    if len(options.arguments) > 1:
        raise usage_error('"cloudflared tunnel run" accepts only one argument, the ID or name of '
                          "the tunnel to run.")
    credentials = find_credentials(options, values, environment)
    log = Log(options.get("loglevel"))
    log.info("Starting tunnel", tunnelID=credentials.tunnel)
    log.info("Version %s" % VERSION)
    log.info("Settings: map[%s]" % " ".join(
        "%s:%s" % pair for pair in sorted(options.shown().items())))
    tracker = Tracker(credentials.tunnel)
    log.info("Generated Connector ID: %s" % tracker.connector)
    protocol = choose_protocol(options)
    log.info("Initial protocol %s" % protocol)
    try:
        settings = Settings(options, environment)
    except ValueError as error:
        raise StartError(str(error), 1) from None
    if options.get("region") and credentials.endpoint:
        raise StartError("region provided with a token that has an endpoint", 1)
    return Run(options, credentials, tracker, protocol, settings, log).run()


class Run:
    """The parts of a running connector."""

    def __init__(self, options, credentials, tracker, protocol, settings, log):
        from connector.endpoints import MetricsServer
        from connector.loop import Loop
        from connector.origin import Origin
        from connector.supervisor import Supervisor
        self._loop = Loop()
        self._settings = settings
        self._log = log
        self._error = None
        origin = Origin(self._loop, tracker)
        origin.set_service(options.get("url"))
        edge = parse_edge(options.get("edge") or DEFAULT_EDGE)
        features = [name for name in options.get("features").split(",") if name]
        identity = Identity(credentials, tracker, protocol, features, edge, origin, log)
        server = MetricsServer(self._loop, tracker, options)
        log.info("Starting metrics server on %s/metrics" % server.address)
        self._supervisor = Supervisor(
            self._loop, identity, settings, notify_ready, self._on_finished)

    def run(self):
        """Serve, and return the exit status."""
        self._loop.on_signal(signal.SIGTERM, lambda: self._on_stop_signal("terminated"))
        self._loop.on_signal(signal.SIGINT, lambda: self._on_stop_signal("interrupt"))
        self._supervisor.start()
        self._loop.run()
        if self._error is not None:
            sys.stderr.write("%s\n" % self._error)
            return 1
        self._log.info("Tunnel server stopped")
        return 0

    def _on_stop_signal(self, name):
        """Drain within the grace period; the next signal kills."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self._log.info("Initiating graceful shutdown due to signal %s ..." % name)
        self._loop.after(self._settings.grace_seconds, self._loop.stop)
        self._supervisor.stop()

    def _on_finished(self, error):
        self._error = error
        self._loop.stop()


def check_ready(options):
    """Run `cloudflared tunnel ready`: status 0 if /ready answers 200, else 1."""
    if not options.is_set("metrics"):
        raise StartError("--metrics has to be provided", 1)
    import http.client
    address = options.get("metrics")
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        body = response.read().decode()
    except OSError as error:
        raise StartError("Get \"http://%s/ready\": %s" % (address, error), 1) from None
    finally:
        connection.close()
    if response.status != 200:
        raise StartError("http://%s/ready endpoint returned status code %d\n%s"
                         % (address, response.status, body), 1)
    return 0


def main(words, environment=os.environ):
    """Run the command line `words` and return the exit status."""
    try:
        options = parse_command_line(words, environment)
    except UsageError as error:
        print("Incorrect Usage: %s\n" % error)
        return 0
    try:
        if options.command == ["version"]:
            print(VERSION_TEXT)
            return 0
        if "help" in options.given:
            print("Usage: cloudflared [global options] tunnel [tunnel options] run [options]")
            return 0
        if options.command == ["tunnel", "run"]:
            return run_tunnel(options, environment)
        if options.command == ["tunnel", "ready"]:
            return check_ready(options)
        raise StartError("The stand-in only knows: tunnel run, tunnel ready, version.", 1)
    except StartError as error:
        sys.stderr.write("%s\n" % error)
        return error.status
