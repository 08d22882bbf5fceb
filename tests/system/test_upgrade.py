"""The Debian package, replaced by a newer and an older one in the middle of a rotation."""

import re
import subprocess

import pytest

from fault_checks import check_done, hang_in_the_patch, rotate_into_the_soak, with_rollout
from scenario import wait_until


def repacked(package, directory, version):
    """Return the same package under another version."""
    tree = directory / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    text = re.sub(r"(?m)^Version: .*$", "Version: " + version, control.read_text("utf-8"))
    control.write_text(text, encoding="utf-8")
    made = directory / ("keyturn_%s_amd64.deb" % version)
    subprocess.run(["dpkg-deb", "--build", tree, made], check=True, stdout=subprocess.DEVNULL)
    return made


@pytest.fixture(name="newer", scope="module")
def newer_package(package, tmp_path_factory):
    return repacked(package, tmp_path_factory.mktemp("newer"), "99.0")


@pytest.fixture(name="older", scope="module")
def older_package(package, tmp_path_factory):
    return repacked(package, tmp_path_factory.mktemp("older"), "0.0.1")


def in_preflight(scenario):
    scenario.cloudflare.fault("hang", method="GET", path="*/token", times=1)
    scenario.keyturn.rotate()
    scenario.keyturn.wait_status(phase="preflight")


def before_the_first_restart(scenario):
    with_rollout(scenario, settle="8s")
    scenario.keyturn.rotate()
    scenario.journal.wait_for("token_delivered")


def in_a_restart(scenario):
    scenario.units.drop_in("starts-late", "[Service]\nTimeoutStartSec=20\n")
    with_rollout(scenario, healthy_deadline="30s")
    scenario.cloudflare.knobs(registration_delay_seconds=4)
    scenario.keyturn.rotate()
    scenario.journal.wait_for("unit_restarting")


def in_the_soak(scenario):
    rotate_into_the_soak(scenario, "8s")


@pytest.mark.parametrize("reach", [in_preflight, hang_in_the_patch, before_the_first_restart,
                                   in_a_restart, in_the_soak])
def test_an_upgrade_and_a_downgrade_in_the_middle_of_a_rotation(
        scenario, traffic, package, newer, older, reach):
    """A pause keeps the rotation open however long the installation takes."""
    for replacement in (newer, older):
        reach(scenario)
        scenario.keyturn.ctl("pause", "web", check=True)
        before = scenario.keyturn.main_pid()
        done = scenario.keyturn.install_package(replacement)
        assert "does nothing yet" not in done.stdout
        wait_until(lambda: scenario.keyturn.main_pid() not in (0, before), "a new keyturnd")
        scenario.cloudflare.heal()
        scenario.keyturn.ctl("resume", "web", check=True)
        check_done(scenario)
        assert scenario.journal.events("rotation_resumed")
        scenario.journal.mark()
    scenario.keyturn.install_package(package)


def test_a_state_of_a_newer_version_is_refused_before_anything_is_replaced(
        scenario, traffic, package, older):
    state = "/var/lib/keyturn/state/web.json"
    scenario.keyturn.rotate()
    scenario.keyturn.wait_done()
    scenario.host.run("sed", "-i", "s/.schema.:1,/\"schema\":2,/", state)
    files = ("md5sum /usr/bin/keyturn* /usr/libexec/keyturn/*; dpkg-query -W keyturn; "
             "systemctl is-active keyturnd")
    before = scenario.host.output("sh", "-c", files)
    with pytest.raises(AssertionError, match="a newer version wrote " + state):
        scenario.keyturn.install_package(older)
    # dpkg lets the version that stays start keyturnd anew, which it survives.
    assert scenario.host.output("sh", "-c", files) == before
