"""A fleet that shares its object in a real etcd."""

from scenario import Fleet, wait_until


def test_rotates_over_all_hosts_while_etcd_restarts(request, tmp_path):
    """Etcd is down for some seconds in the middle; keyturnd waits for it."""
    with Fleet(tmp_path, request.config.getoption("--build"), rollout={"soak": "2s"},
               store="etcd") as fleet:
        before = fleet.cloudflare.current()["token"]
        fleet.traffic.start(rate=100, slow_rate=5, slow_delay="500ms")
        fleet["beta"].keyturn.ctl("rotate", "web", check=True)
        fleet.wait_lead("roll")
        fleet.outside.run("systemctl", "kill", "--signal=STOP", "etcd-store.service")
        fleet.outside.run("sleep", "12")
        fleet.outside.run("systemctl", "kill", "--signal=CONT", "etcd-store.service")
        fleet.wait_idle(180)
        summary = fleet.traffic.stop()
        assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]
        assert fleet.cloudflare.current()["token"] != before
        wait_until(fleet.delivered, "every token file to hold the new token")
        fleet.wait_full()
