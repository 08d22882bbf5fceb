"""What an attacker on the host gets from keyturnd's memory, and how exposed its unit is.

Every search for secrets has a negative control: it finds them while a call is under way, or in the
core dump of a keyturnd without the protection (`unprotected.c`).
"""

import base64
import json
import pathlib
import re
import subprocess

import pytest

from fault_checks import FIRST, check_done, rotate_into_the_soak
from scenario.cloudflare import WRITE_TOKEN
from scenario.keyturn import STATE, UNIT
from scenario.waiting import wait_until
from secret_forms import forms_of

HERE = pathlib.Path(__file__).resolve().parent
SCAN = HERE / "memory_scan.py"
CONFINED = HERE / "confined.py"
INSTALLED = "/usr/local/lib/confined.py"
TRIED = STATE + "/tried.json"
CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
PTRACE_SCOPE = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
DROP_INS = "/etc/systemd/system/keyturnd.service.d"
# malloc writes over the beginning of what is freed, and leaves the rest.
FREED_HEAD = 16
LOCKED_MAX_KIB = 256
EXPOSURE_MAX = 11  # 1.1, in tenths, as systemd-analyze takes it.
# A core dump goes to the working directory. Users have other ids in a name space of their own, and
# would not get at the process for that reason alone.
DUMPS = "[Service]\nLimitCORE=infinity\nWorkingDirectory=%s\nPrivateUsers=no\n" % STATE
# What another process of the user keyturn tries, and what the kernel answers: 0 or an errno.
INTRUDER = """
import ctypes, json, os, sys
process = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)

def opened(name):
    try:
        os.close(os.open("/proc/%d/%s" % (process, name), os.O_RDONLY))
    except OSError as error:
        return error.errno
    return 0

tried = {name: opened(name) for name in ("mem", "environ", "maps", "auxv")}
SEIZE, DETACH = 0x4206, 17
failed = libc.ptrace(SEIZE, process, None, None)
tried["ptrace"] = ctypes.get_errno() if failed else 0
print(json.dumps(tried))
"""
# Takes the place of systemd-run, and shows what it was asked for.
WORDS_OF_SETUP = """
set -eu
mkdir -p /tmp/fake
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$@"\\n' >/tmp/fake/systemd-run
chmod 755 /tmp/fake/systemd-run
PATH=/tmp/fake:$PATH keyturnctl setup --yes
"""


class Keyturnd:
    """The running keyturnd as an attacker sees it."""

    def __init__(self, scenario):
        self._scenario = scenario

    def secrets(self):
        """Return every form of the API token and of the tokens of the tunnel."""
        tokens = {"file": self._scenario.keyturn.token(),
                  "api": self._scenario.cloudflare.current()["token"], **self._kept()}
        # The rest of this one would be nothing but zeros.
        found = {"API token": WRITE_TOKEN.encode()}
        for name, token in tokens.items():
            found.update({form: value[FREED_HEAD:]
                          for form, value in forms_of(name, token).items()})
        return found

    def _kept(self):
        kept = self._scenario.host.run("cat", STATE + "/pending/web", check=False).stdout
        return {"fresh": json.loads(kept)["new_token"]} if kept else {}

    def in_memory(self, secrets):
        """Return which of the secrets are in its memory."""
        return self._scan({"process": self._scenario.keyturn.main_pid()}, secrets)

    def in_file(self, path, secrets):
        """Return which of the secrets are in a file."""
        return self._scan({"file": path}, secrets)

    def _scan(self, where, secrets):
        encoded = {name: base64.b64encode(value).decode() for name, value in secrets.items()}
        answer = json.loads(self._scenario.host.run(
            SCAN, feed=json.dumps({**where, "secrets": encoded})).stdout)
        assert answer["bytes"] > 100_000, answer
        return answer["found"]

    def wait_clean(self, secrets):
        """Wait until none of the secrets is in memory: a call may just be under way."""
        wait_until(lambda: not self.in_memory(secrets),
                   lambda: "no secret in memory: %s" % self.in_memory(secrets), 10, 0.2)

    def locked(self):
        """Return how much memory is locked, in KiB."""
        process = self._scenario.keyturn.main_pid()
        text = self._scenario.host.output("cat", "/proc/%d/status" % process)
        return int(re.search(r"VmLck:\s+(\d+) kB", text).group(1))

    def cores(self):
        """Return the core dumps."""
        return self._scenario.host.output("find", STATE, "-maxdepth", "1", "-name",
                                          "core*").splitlines()

    def intrude(self):
        """Return what a process of the same user gets: {way: 0 or errno}."""
        process = self._scenario.keyturn.main_pid()
        return json.loads(self._scenario.host.run(
            "/usr/bin/python3", "-c", INTRUDER, str(process), user="keyturn").stdout)


@pytest.fixture(name="keyturnd")
def keyturnd_under_attack(scenario):
    return Keyturnd(scenario)


@pytest.fixture(name="drop_in")
def drop_in_of_keyturnd(scenario):
    """Give a function that restarts keyturnd with a drop-in; removed at the end."""
    put = "mkdir -p %s && cat >%s/exposure.conf && systemctl daemon-reload" % (DROP_INS, DROP_INS)

    def apply(text):
        scenario.host.run("sh", "-c", put, feed=text)
        with scenario.looks():
            scenario.keyturn.restart()
        scenario.journal.mark()

    yield apply
    scenario.host.run("sh", "-c", "rm -f %s/exposure.conf %s/core*; systemctl daemon-reload" % (
        DROP_INS, STATE))
    scenario.keyturn.restart()


@pytest.fixture(name="dumping")
def kernel_that_dumps_to_a_file():
    """Let the kernel of this machine write core dumps to the working directory."""
    before = CORE_PATTERN.read_text(encoding="utf-8")
    if before.strip() != "core":
        CORE_PATTERN.write_text("core", encoding="utf-8")
    yield
    if before.strip() != "core":
        CORE_PATTERN.write_text(before, encoding="utf-8")


@pytest.fixture(name="without")
def library_that_takes_protection_away(scenario):
    """Give a function that builds the library with these switches: its line of a drop-in."""
    def build(*switches):
        name = "without-%s.so" % "-".join(switches).lower()
        subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o",
                        scenario.host.directory / "share" / name, HERE / "unprotected.c",
                        *("-D" + switch for switch in switches)], check=True)
        scenario.host.run("install", "-m", "755", "/mnt/share/" + name, "/usr/local/lib/" + name)
        return "Environment=LD_PRELOAD=/usr/local/lib/%s\n" % name
    return build


def hang_in_the_patch(scenario):
    """Rotate until keyturnd waits for the answer to its PATCH, with both secrets in its hands."""
    fault = scenario.cloudflare.fault("hang", method="PATCH", times=1)
    scenario.keyturn.rotate()
    scenario.cloudflare.wait_fault(fault)


def test_idle_keyturnd_has_no_secret_in_memory(scenario, keyturnd):
    keyturnd.wait_clean(keyturnd.secrets())
    assert keyturnd.locked() < LOCKED_MAX_KIB
    before = keyturnd.secrets()
    scenario.keyturn.rotate()
    check_done(scenario)
    after = {**{"old " + name: value for name, value in before.items()}, **keyturnd.secrets()}
    keyturnd.wait_clean(after)
    assert keyturnd.locked() < LOCKED_MAX_KIB
    print("locked after a rotation: %d KiB" % keyturnd.locked())


def test_keyturnd_that_soaks_has_no_secret_in_memory(scenario, keyturnd):
    """Not even those of the open rotation, which are on disk."""
    rotate_into_the_soak(scenario, "15s")
    secrets = keyturnd.secrets()
    assert "fresh secret" in secrets
    keyturnd.wait_clean(secrets)
    assert scenario.keyturn.status()["phase"] == "soak"
    check_done(scenario)


def test_secrets_are_found_in_memory_during_a_call(scenario, keyturnd):
    hang_in_the_patch(scenario)
    found = keyturnd.in_memory(keyturnd.secrets())
    assert "API token" in found and "fresh secret" in found, found
    assert keyturnd.locked() > 0
    scenario.keyturn.wait_done()
    keyturnd.wait_clean(keyturnd.secrets())


def crash_in_the_patch(scenario, keyturnd):
    """Abort keyturnd in the middle; return what its memory held, and its core dumps."""
    hang_in_the_patch(scenario)
    secrets = keyturnd.secrets()
    held = keyturnd.in_memory(secrets)
    assert "API token" in held and "fresh secret" in held, held
    scenario.host.run("systemctl", "kill", "--signal=ABRT", "--kill-who=main", UNIT)
    check_done(scenario)
    return secrets, keyturnd.cores()


def test_crash_leaves_no_core_dump_even_where_they_are_allowed(scenario, keyturnd, dumping,
                                                               drop_in):
    drop_in(DUMPS)
    _, cores = crash_in_the_patch(scenario, keyturnd)
    assert cores == []


def test_core_dump_of_a_dumpable_keyturnd_has_no_secret(scenario, keyturnd, dumping, drop_in,
                                                        without):
    drop_in(DUMPS + without("KEEP_DUMPABLE"))
    secrets, cores = crash_in_the_patch(scenario, keyturnd)
    assert len(cores) == 1
    heap = {"path of a call": b"/cfd_tunnel/" + scenario.cloudflare.tunnel.encode()}
    assert keyturnd.in_file(cores[0], {**secrets, **heap}) == list(heap)


def test_secrets_are_found_in_the_core_dump_of_an_unprotected_keyturnd(
        scenario, keyturnd, dumping, drop_in, without):
    drop_in(DUMPS + without("KEEP_DUMPABLE", "DUMP_SECRETS"))
    secrets, cores = crash_in_the_patch(scenario, keyturnd)
    assert len(cores) == 1
    found = keyturnd.in_file(cores[0], secrets)
    assert "API token" in found and "fresh secret" in found, found


def test_processes_of_its_own_user_cannot_look_into_it(keyturnd, drop_in, without):
    assert all(keyturnd.intrude().values()), keyturnd.intrude()
    drop_in(DUMPS)
    assert all(keyturnd.intrude().values()), keyturnd.intrude()
    drop_in(DUMPS + without("KEEP_DUMPABLE"))
    tried = keyturnd.intrude()
    assert tried["environ"] == 0 and tried["maps"] == 0, tried
    if not PTRACE_SCOPE.exists():  # Else the kernel refuses the rest to everybody.
        assert not any(tried.values()), tried


def test_secrets_cannot_go_to_swap(scenario):
    """A kernel without swap has no limit for it."""
    shown = scenario.units.show(UNIT, "ControlGroup", "MemorySwapMax")
    assert shown["MemorySwapMax"] == "0"
    limit = scenario.host.run("sh", "-c", "cat /sys/fs/cgroup$0/memory.swap.max || wc -l "
                              "</proc/swaps", shown["ControlGroup"]).stdout.strip()
    assert limit in ("0", "1"), "the limit, or only the heading of the list of swaps: " + limit


def connector_process(scenario):
    """Return the main process of a connector."""
    return scenario.units.show(FIRST, "MainPID")["MainPID"]


def test_taken_over_keyturnd_is_confined(scenario, drop_in):
    """As a command of its unit, so in the same sandbox; and as root without one, for control."""
    process = connector_process(scenario)
    # A unit does not see the home directories and /tmp of the host, where the sources may be.
    scenario.host.run("install", CONFINED, INSTALLED)
    everything = json.loads(scenario.host.output(INSTALLED, process, FIRST, "-"))
    assert all(everything.values()), "the attempts are none: %s" % everything
    drop_in("[Service]\nExecStartPre=%s %s %s %s\n" % (INSTALLED, process, FIRST, TRIED))
    worked = json.loads(scenario.host.output("cat", TRIED))
    scenario.host.run("rm", TRIED)
    assert worked == dict.fromkeys(everything, False), worked


def test_taken_over_connector_has_its_own_token_and_nothing_of_keyturn(scenario):
    user = "DynamicUser=yes"
    run = ("systemd-run", "--quiet", "--wait", "--pipe", "--property=" + user)
    load = "--property=LoadCredential=token:/var/lib/keyturn/tokens/web"
    own = scenario.host.output(*run, load, "sh", "-c", "cat $CREDENTIALS_DIRECTORY/token")
    assert own == scenario.keyturn.token().strip(), "the connector's own"
    for path in ("/var/lib/keyturn/tokens/web", "/var/lib/keyturn/state",
                 "/etc/keyturn/cloudflare-api-token", "/run/credentials/keyturnd.service",
                 "/proc/%d/mem" % scenario.keyturn.main_pid()):
        done = scenario.host.run(*run, "sh", "-c", "ls $0/ || cat $0", path, check=False)
        assert done.returncode != 0 and "ermission denied" in done.stderr, done
        scenario.host.run("ls", path)


def test_disk_after_a_rotation_has_no_token_from_before(scenario):
    """In the files of keyturn; a disk may keep old blocks that no file has any more."""
    before, places = scenario.keyturn.token(), ("/var/lib/keyturn", "/etc/keyturn", "/run/keyturn")
    search = ("grep", "-rlF", "--file=-", *places)
    found = scenario.host.run(*search, check=False, feed=before).stdout.split()
    assert found == ["/var/lib/keyturn/tokens/web"], "the search finds a token that is there"
    scenario.keyturn.rotate()
    check_done(scenario)
    assert scenario.host.run(*search, check=False, feed=before).stdout == ""


def test_exposure_of_keyturnd_as_it_runs(scenario):
    verdict = scenario.host.output("systemd-analyze", "security", "--no-pager",
                                   "--threshold=%d" % EXPOSURE_MAX, UNIT)
    print(verdict.splitlines()[-1])


def test_unit_of_setup_has_no_core_dump_and_no_swap(scenario):
    words = scenario.host.output("sh", "-c", WORDS_OF_SETUP).splitlines()
    assert "--unit=keyturn-setup" in words, words
    options = [word for word in words if word.startswith("--property=")]
    unit = "keyturn-setup.service"
    scenario.host.run("systemd-run", "--quiet", "--collect", "--service-type=exec",
                      "--unit=" + unit, *options, "sleep", "60")
    try:
        shown = scenario.units.show(unit, "LimitCORE", "MemorySwapMax", "LimitMEMLOCK")
        assert shown["LimitCORE"] == "0" and shown["MemorySwapMax"] == "0"
        assert int(shown["LimitMEMLOCK"]) >= 8 << 20
    finally:
        scenario.host.run("systemctl", "stop", unit)
