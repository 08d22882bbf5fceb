"""What the connector knows of itself: its connections and its counters, for all endpoints."""

import os
import time

VERSION = "2026.8.2"
PROTOCOL_NUMBERS = {"http2": 0, "quic": 1}
CONFIG_BEFORE_PUSH = {"version": -1, "config": {}}


def random_uuid():
    """Return a new random UUID (version 4) as text."""
    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    digits = data.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Tracker:
    """The state that /ready, /diag/tunnel, /config and /metrics show."""

    def __init__(self, tunnel):
        self.tunnel = tunnel
        self.connector = random_uuid()
        self.connected = {}
        self.config = CONFIG_BEFORE_PUSH
        self.locations = {}
        self.serving_attempts = 0
        self.register_success = 0
        self.register_fail = {}
        self.rpc_failures = 0
        self.requests = 0
        self.requests_in_flight = 0
        self.responses = {}
        self.started = time.time()

    def set_connected(self, index, protocol, address, location):
        """Note that a connection has registered."""
        self.connected[index] = (protocol, address)
        self.locations[index] = location
        self.register_success += 1

    def set_disconnected(self, index):
        """Note that a connection is gone, or about to go."""
        self.connected.pop(index, None)

    def count_refusal(self, error):
        """Note that the edge refused a registration."""
        kind = "dup_edge_conn" if error == "EDUPCONN" else "server_error"
        self.register_fail[kind] = self.register_fail.get(kind, 0) + 1
        self.rpc_failures += 1

    def count_response(self, status):
        """Note that a request was answered with this status."""
        self.responses[status] = self.responses.get(status, 0) + 1

    def ready(self):
        """Return the status and the JSON value of /ready."""
        count = len(self.connected)
        status = 200 if count else 503
        return status, {"status": status, "readyConnections": count,
                        "connectorId": self.connector}

    def diag_tunnel(self):
        """Return the value of /diag/tunnel: zero and empty fields are left out."""
        value = {"tunnelID": self.tunnel, "connectorID": self.connector}
        connections = []
        for index, (protocol, address) in sorted(self.connected.items()):
            item = {"isConnected": True}
            if PROTOCOL_NUMBERS[protocol]:
                item["protocol"] = PROTOCOL_NUMBERS[protocol]
            item["edgeAddress"] = address
            if index:
                item["index"] = index
            connections.append(item)
        if connections:
            value["connections"] = connections
        value["icmp_sources"] = ["127.0.0.1", "::1"]
        return value

    def metrics_text(self):
        """Return the Prometheus text of /metrics."""
        prefix = "cloudflared_tunnel_"
        lines = [
            'build_info{goversion="go1.24.13",revision="2026-08-14T10:21:00Z",type="",'
            'version="%s"} 1' % VERSION,
            "process_start_time_seconds %.2f" % self.started,
            "cloudflared_orchestration_config_version %d" % self.config["version"],
            prefix + "ha_connections %d" % self.serving_attempts,
            prefix + "total_requests %d" % self.requests,
            prefix + "concurrent_requests_per_tunnel %d" % self.requests_in_flight,
        ]
        lines += [prefix + 'response_by_code{status_code="%s"} %d' % pair
                  for pair in sorted(self.responses.items())]
        lines += [prefix + 'server_locations{connection_id="%d",edge_location="%s"} 1' % pair
                  for pair in sorted(self.locations.items())]
        if self.register_success:
            lines.append(prefix + 'tunnel_register_success{rpcName="registerConnection"} %d'
                         % self.register_success)
        lines += [prefix + 'tunnel_register_fail{error="%s",rpcName="registerConnection"} %d' % pair
                  for pair in sorted(self.register_fail.items())]
        if self.rpc_failures:
            lines.append('cloudflared_rpc_client_failures{handler="registration",'
                         'method="register_connection"} %d' % self.rpc_failures)
        return "\n".join(lines) + "\n"
