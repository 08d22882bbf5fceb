"""A connector elsewhere that runs with the token of a test host's tunnel."""

STRAY = "stray.service"


def attach_stray(scenario):
    """Run a connector elsewhere with what is the token now; return its id."""
    ours = set(scenario.cloudflare.connectors())
    scenario.host.run("sh", "-c", "umask 077; cp /var/lib/keyturn/tokens/web /tmp/stolen")
    scenario.host.run("systemd-run", "--quiet", "--unit=" + STRAY, "cloudflared",
                      "--no-autoupdate", "tunnel", "run", "--token-file", "/tmp/stolen")
    scenario.units.wait_full(count=3)
    return (set(scenario.cloudflare.connectors()) - ours).pop()


def remove_stray(scenario):
    """Stop it, and forget what it stole; there may be none."""
    scenario.host.run("sh", "-c", "systemctl stop $1; systemctl reset-failed $1; "
                      "rm -f /tmp/stolen; :", "clean", STRAY)


def ours_alone(scenario):
    """Return whether nobody but the units is connected, each with the secret of now."""
    now = scenario.cloudflare.fingerprint()
    ours = {scenario.units.connector(unit) for unit in scenario.units.names}
    connectors = scenario.cloudflare.connectors()
    return set(connectors) == ours and all(
        item["fingerprints"] == [now] for item in connectors.values())
