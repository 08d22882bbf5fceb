"""Several hosts that serve one tunnel and share nothing but Cloudflare: `kind: api`."""

from scenario.fleet import Fleet
from scenario.places import EXAMPLE_UNIT

# How often a host looks whether the token has changed.
INTERVAL = "3s"
TAGGED = """[Service]
ExecStart=
%s --features keyturn-%s
"""


class Waves(Fleet):
    """The first host rotates. The last one is known by its tag, the others by their addresses."""

    def __init__(self, directory, build, interval=INTERVAL, **options):
        super().__init__(directory, build, **options)
        self.interval = interval
        self.tagged = list(self.hosts)[-1]
        self.gone = set()  # Names of hosts that the policy does not have any more.

    def policy(self, host):
        """Return the policy of one host: the same on all of them."""
        del host
        hosts = [{"host": name, "tag": "keyturn-" + name} if name == self.tagged else
                 {"host": name, "address": "10.98.%d.2" % item.number}
                 for name, item in self.hosts.items() if name not in self.gone]
        return {"coordinator": {"kind": "api", "hosts": hosts}, "rollout": self.rollout,
                "drift": {"interval": self.interval}}

    def go_on_without(self, *gone):
        """Take these hosts (none) out of the policy of all others, and let these read it."""
        self.gone = set(gone)
        for name, host in self.hosts.items():
            if name not in self.gone:
                host.keyturn.write_policy(**self.policy(host))
                host.host.run("systemctl", "reload-or-restart", "keyturnd")

    def found(self):
        """Tag what has no address of its own."""
        command = next(line for line in EXAMPLE_UNIT.read_text().splitlines()
                       if line.startswith("ExecStart="))
        self.hosts[self.tagged].units.drop_in("tag", TAGGED % (command, self.tagged))

    def idle(self, names=None):
        """Return whether these hosts (all) are idle, and every unit has the current token."""
        current = self.cloudflare.tunnel_state()
        return (all(self.hosts[name].keyturn.status().get("state") == "idle"
                    for name in names or self.hosts) and self.delivered() and
                all(item["fingerprints"] == [current["fingerprint"]]
                    for item in current["connectors"]))
