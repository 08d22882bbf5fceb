"""What the model of Cloudflare knows: tunnels, their connectors, counters and the API's log."""

import collections
import uuid

from model import clock, tokens

CONNECTIONS_PER_CONNECTOR = 4
MAX_VIEWS = 4000
MAX_CALLS = 20000
MAX_EVENTS = 5000


class Connector:
    """A running connector process, as the edge sees it."""

    def __init__(self, registration, origin_ip):
        self.id = registration["client"]
        self.version = registration["version"]
        self.arch = registration["arch"]
        self.features = registration["features"]
        self.protocol = registration["protocol"]
        self.origin_ip = origin_ip
        self.run_at = clock.now()
        self.connections = {}

    def api_value(self, config_version):
        """Return this connector as the API lists it."""
        return {
            "id": self.id, "arch": self.arch, "version": self.version, "features": self.features,
            "config_version": config_version, "run_at": clock.api_time(self.run_at),
            "conns": [self._connection_value(peer) for _, peer in sorted(self.connections.items())],
        }

    def _connection_value(self, peer):
        return {
            "id": peer.id, "uuid": peer.id, "client_id": self.id, "client_version": self.version,
            "colo_name": peer.location, "origin_ip": self.origin_ip,
            "opened_at": clock.api_time(peer.opened_at), "is_pending_reconnect": False,
        }

    def state_value(self):
        """Return this connector as the control side shows it."""
        peers = [peer for _, peer in sorted(self.connections.items())]
        return {
            "id": self.id, "version": self.version, "protocol": self.protocol,
            "origin_ip": self.origin_ip, "run_at": self.run_at,
            "connections": len(peers), "live": sum(peer.live for peer in peers),
            "draining": sum(peer.draining for peer in peers),
            "in_flight": sum(len(peer.replies) for peer in peers),
            "fingerprints": sorted({peer.fingerprint for peer in peers}),
        }


class Tunnel:
    """One tunnel: its secret now and before, its configuration, its connectors."""

    def __init__(self, account, id, secret, name="", hostnames=(), service="", endpoint="",
                 config_version=1, remote_config=True):
        tokens.decode_secret(secret)
        self.account = account
        self.id = str(uuid.UUID(id))
        self.name = name or "tunnel-" + self.id[:8]
        self.hostnames = [host.lower() for host in hostnames]
        self.service = service
        self.endpoint = endpoint
        self.config_version = config_version
        self.remote_config = remote_config
        self.created_at = clock.now()
        self.deleted_at = None
        self.active_since = None
        self.inactive_since = None
        self.connectors = {}
        self.secrets = [(self.created_at, secret)]
        self._views = collections.deque(maxlen=MAX_VIEWS)
        self.record_view()

    @property
    def secret(self):
        """The secret the API holds now."""
        return self.secrets[-1][1]

    def secret_before(self, lag):
        """Return the secret as somebody sees it who is `lag` seconds behind."""
        limit = clock.now() - lag
        seen = [secret for at, secret in self.secrets if at <= limit]
        return seen[-1] if seen else self.secrets[0][1]

    def set_secret(self, secret):
        """Make this the one secret that new connections need."""
        self.secrets.append((clock.now(), secret))

    def token(self, secret):
        """Return the token for one of this tunnel's secrets."""
        return tokens.make_token(self.account, self.id, secret, self.endpoint)

    def record_view(self):
        """Remember the present list of connectors; call this after every change of it."""
        connected = bool(self.connectors)
        if connected and self.active_since is None:
            self.active_since, self.inactive_since = clock.now(), None
        elif not connected and self.active_since is not None:
            self.active_since, self.inactive_since = None, clock.now()
        view = [item.api_value(self.config_version) for item in self.connectors.values()]
        self._views.append((clock.now(), view))

    def view_before(self, lag):
        """Return the list of connectors as it was `lag` seconds ago."""
        limit = clock.now() - lag
        for at, view in reversed(self._views):
            if at <= limit:
                return view
        return []

    def status(self):
        """Return the word by which the API judges the tunnel."""
        if self.connectors:
            counts = [len(item.connections) for item in self.connectors.values()]
            return "healthy" if min(counts) >= CONNECTIONS_PER_CONNECTOR else "degraded"
        return "down" if self.inactive_since is not None else "inactive"

    def api_value(self):
        """Return the tunnel object of the API; its list of connections is always empty."""
        return {
            "id": self.id, "account_tag": self.account, "name": self.name,
            "created_at": clock.api_time(self.created_at),
            "deleted_at": clock.api_time(self.deleted_at),
            "conns_active_at": clock.api_time(self.active_since),
            "conns_inactive_at": clock.api_time(self.inactive_since),
            "connections": [], "status": self.status(), "tun_type": "cfd_tunnel",
            "config_src": "cloudflare" if self.remote_config else "local",
            "remote_config": self.remote_config, "metadata": {},
        }

    def state_value(self):
        """Return the tunnel as the control side shows it, without any secret."""
        return {
            "id": self.id, "account": self.account, "name": self.name, "status": self.status(),
            "hostnames": self.hostnames, "deleted": self.deleted_at is not None,
            "fingerprint": tokens.fingerprint(self.id, self.secret),
            "fingerprints": [{"at": at, "fingerprint": tokens.fingerprint(self.id, secret)}
                             for at, secret in self.secrets],
            "connectors": [item.state_value() for item in self.connectors.values()],
        }


class World:
    """Everything; the listeners share one of these."""

    def __init__(self):
        self.tunnels = {}
        self.credentials = []
        self.knobs = None
        self.counters = collections.Counter()
        self.calls = collections.deque(maxlen=MAX_CALLS)
        self.events = collections.deque(maxlen=MAX_EVENTS)
        self.default_service = ""

    def add_tunnel(self, tunnel):
        """Add a tunnel, or raise ValueError where its id is taken."""
        if tunnel.id in self.tunnels:
            raise ValueError("tunnel %s exists" % tunnel.id)
        self.tunnels[tunnel.id] = tunnel

    def tunnel_of_host(self, host):
        """Return the tunnel that serves a host name, or None."""
        name = host.partition(":")[0].lower()
        for tunnel in self.tunnels.values():
            if name in tunnel.hostnames and tunnel.deleted_at is None:
                return tunnel
        return None

    def connector(self, connector_id):
        """Return the connector with this id, or None."""
        for tunnel in self.tunnels.values():
            if connector_id in tunnel.connectors:
                return tunnel.connectors[connector_id]
        return None

    def note(self, event, **fields):
        """Count an event and keep it with its time."""
        self.counters[event] += 1
        self.events.append({"at": clock.now(), "event": event, **fields})
