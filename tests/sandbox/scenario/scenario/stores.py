"""What the hosts of a fleet share, outside of them: a bucket or a cluster of etcd."""

import json

from scenario.places import S3
from scenario.waiting import wait_until

# The name of the outside as a store; the certificate has it.
URL = "https://store.cloudflare.test:"
CERTIFICATES = "/mnt/share/certs/"
KEY_FILE = "/etc/keyturn/store.key"


class Bucket:
    """The model of an S3 store."""

    ports = ("9443",)
    key = "KEYTURNTEST secretsecretsecret"

    def __init__(self, outside, address):
        self._outside = outside
        self._address = address

    def start(self):
        """Start it, and wait until it answers."""
        self._outside.run(
            "systemd-run", "--quiet", "--unit=store.service", S3,
            "--listen", "%s:%s" % (self._address, *self.ports), "--control", "127.0.0.1:9000",
            "--certificate", CERTIFICATES + "server.pem", "--key", CERTIFICATES + "server.key")
        wait_until(lambda: self._outside.run("curl", "--silent", "http://127.0.0.1:9000/calls",
                                             check=False).returncode == 0, "the store")

    def coordinator(self):
        """Return the keys of `coordinator:` that say where it is."""
        return {"kind": "bucket", "endpoint": URL + self.ports[0], "bucket": "fleet",
                "credential": {"file": KEY_FILE}}

    def control(self, method, path, body=None):
        """Make one call of its control side, and return the answer's text."""
        return self._outside.run(
            "curl", "--silent", "--show-error", "--fail", "--request", method,
            "http://127.0.0.1:9000" + path,
            *(("--json", json.dumps(body)) if body is not None else ())).stdout


class Etcd:
    """Three members of a real etcd."""

    ports = ("2379", "2479", "2579")
    key = ""
    units = ("etcd-1.service", "etcd-2.service", "etcd-3.service")

    def __init__(self, outside, address):
        self._outside = outside
        self._address = address

    def start(self):
        """Start all members, and wait until each one answers."""
        names = [unit.removesuffix(".service") for unit in self.units]
        peers = ["http://127.0.0.1:%d" % (int(port) + 1) for port in self.ports]
        cluster = ",".join("%s=%s" % member for member in zip(names, peers))
        for name, port, peer in zip(names, self.ports, peers):
            self._outside.run(
                "systemd-run", "--quiet", "--unit=" + name, "etcd", "--name", name,
                "--data-dir", "/run/" + name,
                "--listen-client-urls", "https://%s:%s" % (self._address, port),
                "--advertise-client-urls", URL + port, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
                "--cert-file", CERTIFICATES + "server.pem", "--key-file",
                CERTIFICATES + "server.key")
        for port in self.ports:
            wait_until(lambda port=port: self._answers(port), "the member of etcd at " + port, 60)

    def _answers(self, port):
        return self._outside.run(
            "curl", "--silent", "--fail", "--cacert", CERTIFICATES + "ca.pem",
            URL + port + "/health", check=False).returncode == 0

    def coordinator(self):
        """Return the keys of `coordinator:` that say where it is."""
        return {"kind": "etcd", "endpoints": [URL + port for port in self.ports]}

    def _ask(self, path, **body):
        return json.loads(self._outside.run(
            "curl", "--silent", "--show-error", "--fail", "--cacert", CERTIFICATES + "ca.pem",
            "--json", json.dumps(body), URL + self.ports[0] + path).stdout)

    def compact(self):
        """Let it forget all that is not the newest."""
        newest = self._ask("/v3/kv/range", key="AA==")["header"]["revision"]
        self._ask("/v3/kv/compaction", revision=newest, physical=True)


class Nothing:
    """No store: the hosts see at Cloudflare what the others do."""

    ports = ()
    key = ""

    def __init__(self, outside, address):
        del outside, address

    def start(self):
        """Start nothing."""


KINDS = {"bucket": Bucket, "etcd": Etcd, "nothing": Nothing}
