"""What the tests of fleets do all the time: begin a rotation, and wait for its end."""

from scenario import wait_until


def begin(fleet, host, traffic=True, options=()):
    """Ask one host for a rotation under traffic; return the token and how many there were."""
    before = fleet.cloudflare.current()["token"]
    count = len(fleet.cloudflare.secrets())
    if traffic:
        fleet.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
    fleet[host].keyturn.ctl("rotate", "web", *options, check=True)
    return before, count


def rotated(fleet, before, seconds=240, traffic=True):
    """Wait until all hosts run on a new token; nothing may have been lost."""
    wait_until(lambda: fleet.cloudflare.current()["token"] != before, "a new secret", seconds)
    fleet.wait_idle(seconds)
    if traffic:
        summary = fleet.traffic.stop()
        assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
    assert fleet.delivered()
    fleet.wait_full()
    return len(fleet.cloudflare.secrets())
