"""`keyturnctl doctor`: a host is broken in one way, the doctor finds that, its remedy heals it."""

import contextlib
import json
import time

import pytest

from broken_hosts import CONFIGURATION, hosts_again, without_configuration
from doctor_host import CASES, GIVEN, OTHER, SYSTEM, UNIT, Doctor
from layouts import LAYOUTS
from scenario import StockHost, wait_until
from scenario.cloudflare import WRITE_TOKEN


class Hosts:
    """A host that is set up. The tests share it until one has failed on it."""

    def __init__(self, boot):
        self._boot = boot
        self._stack = contextlib.ExitStack()
        self._doctor = None

    def get(self):
        if not self._doctor:
            stock = self._stack.enter_context(self._boot())
            self._doctor = Doctor(stock)
            self._doctor.make_network()
            stock.set_up("--plain-credential")
            self._doctor.given = self._doctor.ids()
            assert self._doctor.given <= GIVEN, self._doctor.findings()
        return self._doctor

    def throw_away(self):
        self._doctor = None
        self._stack.close()


@pytest.fixture(name="hosts", scope="module")
def hosts_of_this_module(request, tmp_path_factory):
    build = request.config.getoption("--build")
    hosts = Hosts(lambda: StockHost(tmp_path_factory.mktemp("doctor") / "host", build,
                                    LAYOUTS["two named services"]))
    yield hosts
    hosts.throw_away()


@pytest.fixture(name="doctor")
def host_on_which_nothing_has_failed(request, hosts):
    failed = request.session.testsfailed
    yield hosts.get()
    if request.session.testsfailed > failed:
        hosts.throw_away()


@pytest.mark.parametrize("name", CASES)
def test_a_broken_host_is_found_and_healed(doctor, name):
    this = CASES[name]
    this.breaks(doctor)
    found = doctor.findings()
    assert set(found) - doctor.given == {this.id}, found
    if this.before:
        this.before(doctor)
    told = []
    for finding in found[this.id]:
        if this.by_hand:
            this.by_hand(doctor)
        else:
            done = doctor.heal(finding["remedy"], this.asks_for_token, this.edit)
            told.append((finding["remedy"], done.stdout, done.stderr))
    doctor.wait_healed(told)
    doctor.clean_up(this.after)


def test_a_check_can_be_ignored_and_heeded_again(doctor):
    doctor.sh("systemctl disable keyturnd && chmod 755 /var/lib/keyturn")
    assert set(doctor.findings("--only", "keyturnd-enabled")) == {"keyturnd-enabled"}
    found = doctor.findings("--ignore", "state-directory", "--why", "a backup reads it")
    assert found["state-directory"][0]["ignored"]["why"] == "a backup reads it"
    text = doctor.host.run("keyturnctl", "doctor")  # Exits with 0: nothing else fails.
    assert "a backup reads it" in text.stdout and "1 ignored" in text.stdout
    assert not doctor.findings("--heed", "state-directory")["state-directory"][0]["ignored"]
    doctor.sh("systemctl enable keyturnd && chmod 700 /var/lib/keyturn")


def test_what_is_wrong_about_the_command_line_is_said(doctor):
    for arguments in (["--only", "unit-reloads"], ["--ignore", "swap"], ["--why", "x"],
                      ["--heed", "nonsense"]):
        done = doctor.host.run("keyturnctl", "doctor", *arguments, check=False)
        assert done.returncode in (1, 2) and not done.stdout, done
    assert "did you mean unit-reload?" in doctor.host.run(
        "keyturnctl", "doctor", "--only", "unit-reloads", check=False).stderr
    done = doctor.host.run("keyturnctl", "doctor", user="nobody", check=False)
    assert "only root" in done.stderr


def test_findings_about_other_units_are_left_out(doctor):
    doctor.drop_in("[Service]\nRestart=no\n", unit=OTHER)
    assert set(doctor.findings(OTHER)) == doctor.given | {"unit-restart"}
    assert set(doctor.findings(UNIT)) == doctor.given
    doctor.remove(SYSTEM + OTHER + ".d/00-test.conf")


def test_nothing_is_changed_and_no_secret_is_shown(doctor):
    script = ("find /etc /var/lib/keyturn -xdev -type f -exec sha256sum {} + | sort; "
              "find /run/systemd -name '*.conf' -o -name '*.service' | sort")
    before = doctor.sh(script).stdout
    invocations = doctor.stock.units.invocations()
    calls = len(doctor.api.calls("PATCH")) + len(doctor.api.calls("DELETE"))
    text = doctor.host.run("keyturnctl", "doctor", check=False)
    assert doctor.sh(script).stdout == before
    assert doctor.stock.units.invocations() == invocations
    assert len(doctor.api.calls("PATCH")) + len(doctor.api.calls("DELETE")) == calls
    values = doctor.stock.values()
    for secret in (values["token"], values["secret"], WRITE_TOKEN):
        assert secret not in text.stdout + text.stderr


def test_root_accepts_nothing_that_overrides_the_token_file(doctor):
    attested = "/etc/keyturn/attested/%s.json" % UNIT
    before = doctor.stock.file(attested)
    doctor.stock.put(CONFIGURATION, 0o600, "token: %s\n" % doctor.api.current()["token"])
    found = doctor.findings(UNIT)
    assert set(found) - doctor.given == {"unit-token-settings"}, found
    assert doctor.stock.file(attested) == before
    doctor.stock.put(CONFIGURATION, 0o600, "loglevel: info\n")
    assert "attestation" in doctor.findings(), "without a unit, nothing is renewed"
    assert doctor.stock.file(attested) == before
    told = doctor.host.run("keyturnctl", "doctor", UNIT, check=False).stdout
    assert "Root has looked at %s again" % UNIT in told
    assert "Accepted as it is: %s." % CONFIGURATION in told
    assert doctor.stock.file(attested) != before
    assert "Root has looked" not in doctor.host.run("keyturnctl", "doctor", UNIT).stdout
    without_configuration(doctor)


def test_a_unit_that_does_not_exist_is_no_healthy_one(doctor):
    done = doctor.host.run("keyturnctl", "doctor", "nonsense", check=False)
    assert done.returncode == 1 and not done.stdout
    assert "nonsense.service is no unit" in done.stderr and UNIT in done.stderr


def test_silence_is_waited_for_only_once_and_with_progress(doctor):
    begin = time.monotonic()
    doctor.ids()
    healthy = time.monotonic() - begin
    # No name server answers, and neither does a region of the edge.
    doctor.host.run("systemctl", "start", "silent@127.0.0.5")
    resolver = doctor.host.output("cat", "/etc/resolv.conf")
    doctor.stock.put("/etc/resolv.conf", 0o644, "nameserver 127.0.0.5\n")
    doctor.sh("cp /etc/hosts /mnt/share/hosts && (sed -E '/region|api.cloudflare/d' "
              "/mnt/share/hosts; echo 127.0.0.5 region2.v2.argotunnel.com) >/etc/hosts")
    begin = time.monotonic()
    done = doctor.host.run("script", "--quiet", "--return", "--command",
                           "TERM=xterm keyturnctl doctor --json", "/dev/null", check=False)
    took = time.monotonic() - begin
    hosts_again(doctor)
    doctor.stock.put("/etc/resolv.conf", 0o644, resolver)
    assert "Looking at the network ..." in done.stdout
    found = {item["id"] for item in json.loads(done.stdout[done.stdout.index("{"):])["findings"]}
    assert found - doctor.given == {"api-name", "edge-name", "edge-unreachable"}
    # 3 s for all names and 2 s for all ports.
    assert took - healthy < 8, (took, healthy)
    piped = doctor.host.run("keyturnctl", "doctor", check=False)
    assert "Looking" not in piped.stdout + piped.stderr


def test_the_journal_is_made_persistent(doctor):
    finding = doctor.findings()["journal"][0]
    doctor.heal(finding["remedy"])
    wait_until(lambda: "journal" not in doctor.ids(), "a persistent journal")


@pytest.fixture(name="alone")
def host_of_a_lone_unit(request, tmp_path):
    with StockHost(tmp_path / "host", request.config.getoption("--build"),
                   LAYOUTS["stock until 2026.7.1"]) as stock:
        doctor = Doctor(stock)
        doctor.make_network()
        yield doctor


def test_a_stock_host_is_healed_by_setup_and_a_rotation(alone):
    found = alone.findings()
    assert set(found) - GIVEN == {"policy-missing", "secret-in-command"}, found
    assert found["policy-missing"][0]["remedy"] == "sudo keyturnctl setup"
    alone.heal(found["policy-missing"][0]["remedy"], True)
    found = alone.findings()
    assert set(found) - GIVEN == {"secret-in-unit"}, found
    alone.heal(found["secret-in-unit"][0]["remedy"])
    assert alone.ids() <= GIVEN, alone.findings()
    alone.sh("rm /etc/keyturn/attested/keyturn-surge@web.service.json")
    found = alone.findings()
    assert set(found) - GIVEN == {"attestation"}, found
    alone.heal(found["attestation"][0]["remedy"])
    assert alone.ids() <= GIVEN, alone.findings()
    alone.sh("rm /etc/keyturn/attested/keyturn-surge@web.service.json")
    alone.remove(SYSTEM + "keyturn-surge@web.service")
    found = alone.findings()
    assert set(found) - GIVEN == {"surge-missing"}, found
    alone.heal(found["surge-missing"][0]["remedy"])
    assert alone.ids() <= GIVEN, alone.findings()
