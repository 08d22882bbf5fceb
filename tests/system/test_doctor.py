"""`keyturnctl doctor`: a host is broken in one way, the doctor finds that, its remedy heals it."""

import contextlib

import pytest

import broken_hosts  # noqa: F401 (its functions are the cases)
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
            done = doctor.heal(finding["remedy"], this.asks_for_token)
            told.append((finding["remedy"], done.stdout, done.stderr))
    doctor.wait_healed(told)
    if this.after:
        this.after(doctor)
    doctor.clean_up()


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


def test_the_journal_is_made_persistent(doctor):
    finding = doctor.findings()["journal"][0]
    doctor.heal(finding["remedy"], False)
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
    alone.heal(found["secret-in-unit"][0]["remedy"], False)
    assert alone.ids() <= GIVEN, alone.findings()
    alone.remove(SYSTEM + "keyturn-surge@web.service")
    found = alone.findings()
    assert set(found) - GIVEN == {"surge-missing"}, found
    alone.heal(found["surge-missing"][0]["remedy"], False)
    assert alone.ids() <= GIVEN, alone.findings()
