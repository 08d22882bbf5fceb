"""What an unprivileged user of the host tries on keyturnd: queues, forged signals and journal
entries, huge calls, files that it may change; and what keyturnd says when files are missing.
"""

import re
import time

import pytest

from scenario.keyturn import API_TOKEN, POLICY
from scenario.cloudflare import WRITE_TOKEN
from scenario.waiting import wait_until

EXIT_REFUSED = 4
EXIT_POLICY = 78
NOBODY = "nobody"
CA_FILE = "/etc/keyturn/sandbox-ca.pem"
BUS_CALL = "busctl --timeout=60 call org.keyturn.Keyturn1 /org/keyturn/Keyturn1 " \
    "org.keyturn.Keyturn1.Manager "
# Each in the background; their answers come when polkit goes on.
CROWD = "for i in $(seq 40); do %s Retry s web >/dev/null 2>&1 & done; sleep 3" % BUS_CALL
# A name of so many bytes, again and again, by several at a time.
HUGE = """
import ctypes, os
lib = ctypes.CDLL("libsystemd.so.0")
name = b"x" * 30_000_000
for process in range(4):
    if os.fork() == 0:
        break
bus = ctypes.c_void_p()
assert lib.sd_bus_open_system(ctypes.byref(bus)) >= 0
to = (bus, b"org.keyturn.Keyturn1", b"/org/keyturn/Keyturn1")
for call in range(2):
    lib.sd_bus_call_method(*to, b"org.keyturn.Keyturn1.Manager", b"Pause", None, None, b"s", name)
    lib.sd_bus_call_method(*to, b"org.freedesktop.DBus.Properties", b"Get", None, None, b"ss",
                           name, b"Version")
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
"""
RSS_GROWTH_MAX_KIB = 4 * 1024
PEAK_MAX_KIB = 200 * 1024


def told(scenario):
    """Return what keyturnd and systemd about it have written since the mark."""
    return [entry["MESSAGE"] for entry in scenario.journal.read("--unit=keyturnd.service")]


def shown(scenario, *properties):
    """Return these properties of keyturnd's unit."""
    text = scenario.host.output("systemctl", "show", "keyturnd.service",
                                *("--property=" + name for name in properties))
    return dict(line.split("=", 1) for line in text.splitlines())


def memory(scenario, name):
    """Return VmRSS or VmHWM of keyturnd, in KiB."""
    text = scenario.host.output("cat", "/proc/%d/status" % scenario.keyturn.main_pid())
    return int(re.search(name + r":\s+(\d+) kB", text).group(1))


def test_root_is_served_while_a_crowd_waits_for_a_silent_polkit(scenario):
    scenario.host.run("systemctl", "kill", "--signal=STOP", "polkit")
    try:
        scenario.host.run("sh", "-c", CROWD, user=NOBODY)
        before = time.monotonic()
        for verb in ("pause", "resume"):
            done = scenario.keyturn.ctl(verb, "web")
            assert done.returncode == 0, done.stderr
        assert time.monotonic() - before < 10, "root waited for the crowd"
        denied = scenario.host.run("sh", "-c", BUS_CALL + "Retry s web", user=NOBODY, check=False)
        assert "polkit is already being asked about 2 calls of this user" in denied.stderr
    finally:
        scenario.host.run("systemctl", "kill", "--signal=CONT", "polkit")


def test_forged_loss_of_the_name_is_not_told(scenario):
    owner = scenario.host.output(
        "busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetNameOwner", "s",
        "org.keyturn.Keyturn1").split('"')[1]
    scenario.journal.mark()
    forge = "for i in $(seq 50); do busctl emit --destination=%s /org/freedesktop/DBus " \
        "org.freedesktop.DBus NameLost s org.keyturn.Keyturn1; done" % owner
    scenario.host.run("sh", "-c", forge, user=NOBODY, check=False)
    assert scenario.keyturn.status()["state"] == "idle"
    assert not [text for text in told(scenario) if "does not own the bus name" in text]


def test_huge_calls_leave_no_memory_and_no_restart(scenario):
    limits = shown(scenario, "MemoryMax", "MemorySwapMax")
    assert limits == {"MemoryMax": str(256 << 20), "MemorySwapMax": "0"}
    scenario.keyturn.wait_status(state="idle")
    process, before = scenario.keyturn.main_pid(), memory(scenario, "VmRSS")
    scenario.host.run("/usr/bin/python3", "-c", HUGE, user=NOBODY)
    assert scenario.keyturn.status()["state"] == "idle"
    wait_until(lambda: memory(scenario, "VmRSS") - before < RSS_GROWTH_MAX_KIB,
               lambda: "the memory goes back: %d KiB, %d before" % (
                   memory(scenario, "VmRSS"), before))
    print("RSS before and after, and the peak: %d, %d, %d KiB" % (
        before, memory(scenario, "VmRSS"), memory(scenario, "VmHWM")))
    assert memory(scenario, "VmHWM") < PEAK_MAX_KIB
    assert scenario.keyturn.main_pid() == process
    assert shown(scenario, "NRestarts")["NRestarts"] == "0"


def test_forged_entries_are_not_in_the_story_of_a_rotation(scenario):
    scenario.keyturn.rotate()
    rotation = scenario.keyturn.wait_done()["rotation_id"]
    forged = "MESSAGE=web: done, and nothing is wrong\nSYSLOG_IDENTIFIER=keyturnd\n" \
        "ROTATION_ID=%s\n" % rotation
    scenario.host.run("sh", "-c", "printf '%%s' '%s' | logger --journald" % forged, user=NOBODY)
    scenario.host.run("journalctl", "--sync")
    match = "ROTATION_ID=" + rotation
    everything = scenario.host.output("journalctl", "--output=cat", match)
    ours = scenario.host.output("journalctl", "-u", "keyturnd", "--output=cat", match)
    assert "nothing is wrong" in everything and "nothing is wrong" not in ours
    assert len(ours.splitlines()) > 5


@pytest.mark.parametrize("reason", ["\u202elost", "zero\u200bwidth", "\u2066x", "\x1b[2J"])
def test_reason_that_is_not_what_it_looks_like_is_refused(scenario, reason):
    asked = scenario.keyturn.ctl("rotate", "web", "--reason", reason)
    assert asked.returncode != 0
    assert reason not in asked.stdout + asked.stderr
    assert scenario.keyturn.status()["state"] == "idle"


def test_without_an_api_token_it_starts_and_says_what_to_do(scenario):
    remedy = "install -m 600 /dev/stdin " + API_TOKEN
    scenario.keyturn.stop()
    scenario.host.run("rm", API_TOKEN)
    scenario.journal.mark()
    try:
        scenario.keyturn.restart()
        assert [text for text in told(scenario) if remedy in text]

        def found():
            return [text for text in scenario.keyturn.status()["findings"] if remedy in text]
        wait_until(found, lambda: "a finding: %s" % scenario.keyturn.status())
        refused = scenario.keyturn.ctl("rotate", "web", "--follow")
        assert refused.returncode == EXIT_REFUSED
        assert remedy in re.sub(r"\s+", " ", refused.stdout + refused.stderr)
    finally:
        scenario.keyturn.write_api_token(WRITE_TOKEN)
        scenario.keyturn.restart()
    scenario.keyturn.rotate()
    scenario.keyturn.wait_done()


def test_without_a_policy_it_is_not_started(scenario):
    scenario.keyturn.stop()
    scenario.host.run("mv", POLICY, POLICY + ".away")
    try:
        scenario.host.run("systemctl", "start", "keyturnd")
        assert shown(scenario, "ActiveState", "ConditionResult") == {
            "ActiveState": "inactive", "ConditionResult": "no"}
    finally:
        scenario.host.run("mv", POLICY + ".away", POLICY)
        scenario.keyturn.restart()


@pytest.mark.parametrize("path, mode, right", [(CA_FILE, "666", "644"),
                                               ("/etc/keyturn", "777", "755")])
def test_file_that_others_may_change_is_not_trusted(scenario, path, mode, right):
    scenario.keyturn.stop()
    scenario.host.run("chmod", mode, path)
    scenario.journal.mark()
    try:
        assert scenario.host.run("systemctl", "start", "keyturnd", check=False).returncode != 0
        assert shown(scenario, "ExecMainStatus")["ExecMainStatus"] == str(EXIT_POLICY)
        said = "ca_file: %s is writable by everybody.* \\(mode 0%s\\); run `chmod go-w` on it" % (
            path, mode)
        assert [text for text in told(scenario) if re.search(said, text)], told(scenario)
    finally:
        scenario.host.run("chmod", right, path)
        scenario.host.run("systemctl", "reset-failed", "keyturnd", check=False)
        scenario.keyturn.restart()
