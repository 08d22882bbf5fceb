"""The Debian package and the RPM package on a bare Debian: installed, removed, purged."""

import re
import shutil
import subprocess

import pytest

from layouts import LAYOUTS
from scenario import StockHost, wait_until
from scenario.keyturn import TRUST
from scenario.host import ScenarioHost
from scenario.places import BARE_DEBIAN, BUILD_PACKAGE, MAKE_BARE_DEBIAN, REPOSITORY

TOKENS = "/var/lib/keyturn/tokens"
# What it depends on lies in the cache of apt: a test host has no network.
APT_INSTALL = ("rm -f /usr/sbin/policy-rc.d; DEBIAN_FRONTEND=noninteractive apt-get install --yes "
               "--no-install-recommends /mnt/share/keyturn.deb")
# rpm, and what keyturn depends on, but nothing of keyturn.
INSTALL_RPM_TOOL = """
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get install --yes --no-install-recommends rpm /mnt/share/keyturn.deb
dpkg --purge keyturn
rm -rf /etc/keyturn /var/lib/keyturn
userdel keyturn
"""
# What the file triggers of systemd and D-Bus do on Fedora and Enterprise Linux.
TRIGGERS = "systemctl daemon-reload && systemctl reload dbus && journalctl --update-catalog"
# The sources of a package, as packaging/build has them.
COPY_SOURCES = """
set -eu
mkdir "$2"
cd "$1"
git ls-files -z | tar --null --files-from=- -cf - | tar -xf - -C "$2"
cp -R packaging/debian "$2/debian"
"""
# Without a network, apt only waits for its sources.
AUTOPKGTEST = """
set -eu
rm -rf /usr/sbin/policy-rc.d /var/lib/man-db/auto-update /etc/apt/sources.list.d/*
cd /
exec autopkgtest --no-built-binaries --ignore-restrictions=isolation-machine \\
    /mnt/share/keyturn.deb /mnt/share/source/ -- null
"""
RPM_FILES = ("rpm -ql keyturn | xargs md5sum 2>/dev/null; rpm -q keyturn; "
             "systemctl is-active keyturnd")


@pytest.fixture(name="bare")
def host_of_a_bare_debian(package, tmp_path):
    """Boot a Debian 12 with a stock unit and nothing of keyturn."""
    subprocess.run([MAKE_BARE_DEBIAN, BARE_DEBIAN, package], check=True)
    with StockHost(tmp_path / "host", None, LAYOUTS["stock since 2026.7.2"],
                   root=BARE_DEBIAN) as stock:
        (stock.host.directory / "share" / "keyturn.deb").write_bytes(package.read_bytes())
        yield stock


@pytest.fixture(name="rpm", scope="module")
def rpm_package(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rpm") / "made"
    made = subprocess.run([BUILD_PACKAGE, "rpm", directory], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout[-3000:]
    return next(directory.glob("keyturn-*.rpm"))


def install(stock):
    """Install the package as the README says, and let it reach the model of Cloudflare."""
    done = stock.host.run("sh", "-c", APT_INSTALL)
    stock.host.run("sh", "-c", TRUST)
    stock.put_sandbox_policy()
    return done


def dpkg(stock, verb):
    return stock.host.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg --%s keyturn" % verb)


def is_active(stock, unit="keyturnd"):
    return stock.host.run("systemctl", "is-active", "--quiet", unit, check=False).returncode == 0


def exists(stock, path):
    return stock.host.run("test", "-e", path, check=False).returncode == 0


def test_a_bare_debian_is_brought_in_and_out_again(bare):
    unit = bare.units.names[0]
    traffic = bare.traffic.start(rate=50, slow_rate=2)
    done = install(bare)
    assert "Next: sudo keyturnctl setup" in done.stdout
    assert not is_active(bare) and not exists(bare, "/etc/keyturn/keyturn.yaml")
    bare.set_up()
    bare.rotate()

    # A package that is gone takes no tunnel with it, also not over the unit's next start.
    removed = dpkg(bare, "remove")
    assert not is_active(bare) and is_active(bare, unit), removed.stdout
    assert traffic.stop()["failed"] == 0
    token = bare.keyturn.token()
    bare.host.run("systemctl", "restart", unit)
    wait_until(bare.units.healthy, "the unit without the package")

    # Installed again, it goes on where it was.
    again = install(bare)
    assert "Next:" not in again.stdout and is_active(bare)
    assert bare.keyturn.status()["last_outcome"] == "done"
    bare.rotate()
    assert bare.keyturn.token() != token

    # Purged, it leaves nothing but the token file that the unit still reads.
    purged = dpkg(bare, "purge")
    assert "so they stay: %s/web" % TOKENS in purged.stderr
    assert bare.host.output("find", "/var/lib/keyturn", "-type", "f") == TOKENS + "/web"
    assert not exists(bare, "/etc/keyturn")
    bare.host.run("systemctl", "restart", unit)
    wait_until(bare.units.healthy, "the unit after the purge")


def test_a_purge_after_an_undo_leaves_nothing(bare):
    install(bare)
    bare.set_up()
    bare.adopt("--undo", *bare.units.names)
    dpkg(bare, "purge")
    assert not exists(bare, "/var/lib/keyturn") and not exists(bare, "/etc/keyturn")
    wait_until(bare.units.healthy, "the unit as it was")


def rpm_run(stock, *arguments, check=True):
    # Debian's packages are not in its database.
    return stock.host.run("rpm", "--nodeps", *arguments, "/mnt/share/keyturn.rpm", check=check)


def test_the_rpm_is_brought_in_replaced_and_removed(bare, rpm):
    unit = bare.units.names[0]
    (bare.host.directory / "share" / "keyturn.rpm").write_bytes(rpm.read_bytes())
    bare.host.run("sh", "-c", INSTALL_RPM_TOOL)
    done = rpm_run(bare, "--install")
    assert "Next: sudo keyturnctl setup" in done.stdout
    assert bare.host.output("stat", "--format=%a %U %G", TOKENS) == "700 keyturn keyturn"
    bare.host.run("sh", "-c", TRIGGERS)
    assert not is_active(bare) and not exists(bare, "/etc/keyturn/keyturn.yaml")
    bare.host.run("sh", "-c", TRUST)
    bare.put_sandbox_policy()
    traffic = bare.traffic.start(rate=50, slow_rate=2)
    bare.set_up()
    bare.rotate()

    # The same version again is an upgrade to the scriptlets. It starts keyturnd anew.
    before = bare.keyturn.main_pid()
    assert "Next:" not in rpm_run(bare, "--upgrade", "--force").stdout
    wait_until(lambda: bare.keyturn.main_pid() not in (0, before), "a new keyturnd")
    bare.rotate()

    # A state of a newer version is refused before anything is replaced.
    files = bare.host.output("sh", "-c", RPM_FILES)
    state = "/var/lib/keyturn/state/web.json"
    bare.host.run("sh", "-c", "cp -p %s /root && sed -i 's/.schema.:1,/\"schema\":2,/' %s" % (
        state, state))
    refused = rpm_run(bare, "--upgrade", "--force", check=False)
    assert refused.returncode != 0 and "a newer version wrote " + state in refused.stderr
    assert bare.host.output("sh", "-c", RPM_FILES) == files
    bare.host.run("sh", "-c", "cp -p /root/web.json " + state)

    # Removed, it takes no tunnel with it.
    bare.host.run("rpm", "--erase", "keyturn")
    assert not is_active(bare) and is_active(bare, unit)
    assert traffic.stop()["failed"] == 0
    assert not exists(bare, "/usr/bin/keyturnd") and exists(bare, TOKENS + "/web")
    bare.host.run("systemctl", "restart", unit)
    wait_until(bare.units.healthy, "the unit without the package")


def test_its_autopkgtest_passes(package, tmp_path):
    """On the test host itself, which is as isolated from this machine as the test wants it."""
    with ScenarioHost(tmp_path / "host", "--hostname", "testbed") as host:
        share = host.directory / "share"
        shutil.copy(package, share / "keyturn.deb")
        subprocess.run(["sh", "-c", COPY_SOURCES, "copy", REPOSITORY, share / "source"], check=True)
        words = [*map(str, host.command(timeout=300)), "sh", "-c", AUTOPKGTEST]
        done = subprocess.run(words, check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    assert done.returncode == 0 and re.search(r"(?m)^rotation +PASS$", done.stdout), (
        done.stdout[-5000:])
