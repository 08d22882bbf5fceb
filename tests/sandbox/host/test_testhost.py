"""The test hosts themselves: do they behave as a real machine, and do they go away?

Run as root (or through sudo): /usr/bin/python3 -m pytest tests/sandbox/host
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hosts import DEADLINE, TESTHOST, Host, cli


def listed(directory):
    lines = cli("list").stdout.splitlines()
    return any(line.endswith(f"  {directory}") for line in lines)


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def mounts_and_cgroups():
    """What a host could leave behind on this machine."""
    mounts = Path("/proc/self/mountinfo").read_text()
    cgroup2 = next(line.split()[4] for line in mounts.splitlines() if " - cgroup2 " in line)
    return mounts, {path.name for path in Path(cgroup2).glob("testhost-*")}


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().split()[3])


@pytest.fixture(scope="module", name="host")
def booted_host(tmp_path_factory):
    with Host(tmp_path_factory.mktemp("host"), "--hosts", "127.0.0.9 other.test") as host:
        print(host.said)
        yield host


def test_boots_with_nothing_failed(host, record_property):
    startup = host.output("systemctl", "show", "--property=UserspaceTimestampMonotonic",
                          "--property=FinishTimestampMonotonic", "--value").split()
    seconds = abs(int(startup[1]) - int(startup[0])) / 1e6
    print(f"systemd was up in {seconds:.2f} s")
    record_property("boot_seconds", seconds)
    assert host.output("systemctl", "is-system-running") == "running"
    assert host.output("systemctl", "list-timers", "--all", "--no-legend") == ""


def test_systemd_may_go_on_telling_how_it_is(host):
    """Each job of more than a few seconds makes it do so; were nobody listening, it would hang."""
    script = ("import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
              "s.settimeout(5); s.connect('/run/host/notify');"
              "[s.send(b'STATUS=still here') for _ in range(1000)]")
    host.run("/usr/bin/python3", "-c", script)


def test_exit_code_user_and_time_limit(host):
    assert host.run("sh", "-c", "exit 7", check=False).returncode == 7
    assert host.output("id", "-un", user="nobody") == "nobody"
    assert host.run("id", user="no-such-user", check=False).stderr == \
        "testhost: the host has no user no-such-user\n"
    late = cli("run", host.directory, "--timeout", 0.2, "--", "sleep", "77", check=False)
    assert late.returncode == 124
    wait_until(lambda: host.run("pgrep", "-fx", "sleep 77", check=False).returncode == 1)


def test_system_bus_answers(host):
    names = host.output("busctl", "list", "--acquired", "--no-legend", user="nobody")
    assert "org.freedesktop.systemd1" in names and "org.freedesktop.PolicyKit1" in names


def test_names_and_loopback(host):
    for name, address in (("api.cloudflare.test", "127.0.0.1"),
                          ("edge.cloudflare.test", "127.0.0.1"), ("other.test", "127.0.0.9")):
        assert host.output("getent", "ahostsv4", name).split()[0] == address
    assert "LOOPBACK,UP" in host.output("ip", "link", "show", "lo")


def test_journal_takes_structured_entries(host):
    entry = "MESSAGE=hello\nROTATION_ID=r1\n"
    host.run("sh", "-c", f"printf '{entry}' | logger --journald && journalctl --sync")
    found = json.loads(host.output("journalctl", "--output=json", "ROTATION_ID=r1"))
    assert found["MESSAGE"] == "hello" and found["_TRANSPORT"] == "journal"


def test_polkit_refuses_what_is_not_allowed(host):
    host.run("systemd-run", "--unit=victim", "sleep", "100")
    refused = host.run("busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                       "org.freedesktop.systemd1.Manager", "StopUnit", "ss", "victim.service",
                       "fail", user="nobody", check=False)
    assert refused.returncode != 0 and "authentication required" in refused.stderr
    rule = "polkit.addRule(function () { return polkit.Result.YES; });"
    host.run("sh", "-c", f"echo '{rule}' >/etc/polkit-1/rules.d/00-all.rules; "
                         "systemctl restart polkit")
    host.run("systemctl", "stop", "victim.service", user="nobody")
    host.run("sh", "-c", "rm /etc/polkit-1/rules.d/00-all.rules; systemctl restart polkit")


def test_credentials_reach_a_unit(host):
    host.run("sh", "-c", "echo sesame >/etc/word")
    command = ["systemd-run", "--wait", "--pipe", "--quiet", "--property=DynamicUser=yes",
               "--property=LoadCredential=word:/etc/word", "sh", "-c",
               'cat "$CREDENTIALS_DIRECTORY/word"']
    assert host.output(*command) == "sesame"


def test_writes_stay_inside(host, tmp_path):
    host.run("touch", "/usr/bin/from-inside", "/mnt/share/for-outside")
    assert not Path("/usr/bin/from-inside").exists()
    assert (host.directory / "share" / "for-outside").exists()
    assert host.run("sh", "-c", "echo 1 >/proc/sys/kernel/panic", check=False).returncode != 0
    assert host.output("test", "-f", TESTHOST) == ""


def test_stop_leaves_nothing(tmp_path):
    mounts, _ = mounts_and_cgroups()
    with Host(tmp_path) as host:
        pid = int((tmp_path / "pid").read_text())
        busy = subprocess.Popen([TESTHOST, "run", str(tmp_path), "--", "sleep", "1000"])
        wait_until(lambda: host.run("pgrep", "sleep", check=False).returncode == 0)
    assert busy.wait(5) != 0
    assert not Path(f"/proc/{pid}").exists() and not listed(tmp_path)
    assert mounts_and_cgroups()[0] == mounts
    assert {path.name for path in tmp_path.iterdir()} == {"share", "boot.log"}
    cli("stop", tmp_path)  # twice is once


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_host_dies_with_its_owner(tmp_path, end):
    script = f"{TESTHOST} boot {tmp_path} && exec sleep 1000"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as owner:
        assert b"is up" in owner.stdout.readline()
        owner.send_signal(end)
    wait_until(lambda: not listed(tmp_path) and not (tmp_path / "mnt").exists())


def test_host_dies_with_its_supervisor(tmp_path):
    with Host(tmp_path):
        supervisor = parent_of(parent_of(int((tmp_path / "pid").read_text())))
        os.kill(supervisor, signal.SIGKILL)
        wait_until(lambda: not listed(tmp_path))
        assert f"testhost-{supervisor}" in mounts_and_cgroups()[1]
        cli("sweep", tmp_path)
    assert f"testhost-{supervisor}" not in mounts_and_cgroups()[1]


def test_two_hosts_at_once(tmp_path):
    with Host(tmp_path / "1", "--hostname", "one") as one, \
            Host(tmp_path / "2", "--hostname", "two") as two:
        one.run("systemd-run", "--unit=only-here", "sleep", "1000")
        assert one.output("hostname") == "one" and two.output("hostname") == "two"
        assert one.output("systemctl", "is-active", "only-here") == "active"
        assert two.run("systemctl", "is-active", "only-here", check=False).returncode != 0
        assert one.output("cat", "/etc/machine-id") != two.output("cat", "/etc/machine-id")
        cli("sweep", one.directory)
        assert not listed(one.directory) and listed(two.directory)


def test_disk_outlives_a_power_cut(tmp_path):
    with Host(tmp_path / "host", "--disk", tmp_path / "disk") as host:
        host.run("sh", "-c", "echo 1 >/var/lib/kept; echo 1 >/run/lost; sync /var/lib/kept")
        machine = host.output("cat", "/etc/machine-id")
    with Host(tmp_path / "host", "--disk", tmp_path / "disk") as host:
        assert host.output("cat", "/var/lib/kept") == "1"
        assert host.run("cat", "/run/lost", check=False).returncode != 0
        assert host.output("cat", "/etc/machine-id") == machine


@pytest.mark.parametrize("weakness, reason", [
    (["unshare", "--user"], "only root can boot hosts"),
    (["setpriv", "--bounding-set=-sys_admin"], "Operation not permitted"),
])
def test_one_sentence_where_it_is_not_allowed(tmp_path, weakness, reason):
    done = subprocess.run([*weakness, TESTHOST, "boot", str(tmp_path)], check=False, text=True,
                          capture_output=True, timeout=DEADLINE)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("testhost: ") and reason in done.stderr
    assert done.stderr.count("\n") == 1
