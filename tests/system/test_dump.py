"""`keyturnctl doctor --dump`: everything for a bug report, and no secret in any form."""

import base64
import json
import re
import secrets
import tarfile

import pytest

from doctor_host import SYSTEM, UNIT, Doctor
from layouts import LAYOUTS, RUN
from scenario import StockHost
from scenario.cloudflare import WRITE_TOKEN, token_text
from secret_forms import forms_of

DUMP = "/mnt/share/dump.tar.gz"
TOP = "keyturn-dump/"
DROP_IN = SYSTEM + UNIT + ".d/zz-canary.conf"
ARGV_UNIT = SYSTEM + "canary-cloudflared.service"
ENVIRONMENT_FILE = "/etc/default/canary"
CONFIGURATION = "/etc/cloudflared/config.yml"
POLICY = "/etc/keyturn/keyturn.d/90-sandbox.yaml"
# As long as a leak has to be to be of use.
WINDOW = 16
SAY = "printf '%%s\\n' 'said %s' && printf 'not UTF-8 \\377 %s\\n'"
SOURCES = ("cat %s /var/lib/keyturn/tokens/* /var/lib/keyturn/pending/* "
           "/etc/keyturn/cloudflare-api-token && journalctl --all --no-pager")


class Canaries:
    """Secrets that were planted: what they are called, and their texts."""

    def __init__(self, tunnel):
        self._tunnel = tunnel
        self.tokens = {}

    def token(self, name):
        """Return a token that is nowhere else."""
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.tokens[name] = token_text(self._tunnel, secret)
        return self.tokens[name]

    def forms(self):
        """Return every form of each: {what it is: bytes}."""
        forms = {"API token": WRITE_TOKEN.encode()}
        for name, token in self.tokens.items():
            forms.update(forms_of(name, token))
        return forms

    def pieces(self):
        """Return the pieces of the secrets that would be worth something by themselves."""
        found = {}
        for name, token in self.tokens.items():
            secret = json.loads(base64.b64decode(token))["s"]
            for at in range(len(secret) - WINDOW):
                found["%s at %d" % (name, at)] = secret[at:at + WINDOW].encode()
        return found

    def found_in(self, data):
        """Return the names of the canaries in it, in clear or in base64."""
        searched = data + b"\n" + b"\n".join(decoded(data))
        return sorted(name for name, value in {**self.forms(), **self.pieces()}.items()
                      if value in searched)


def decoded(data):
    """Give what each long word is if it is base64, wherever in it that begins."""
    for word in re.findall(rb"[A-Za-z0-9+/_-]{%d,}" % WINDOW, data):
        for start in range(4):
            part = word[start:].translate(bytes.maketrans(b"-_", b"+/"))
            yield base64.b64decode(part[:len(part) // 4 * 4])


def plant_units(doctor, canaries):
    doctor.stock.put(DROP_IN, 0o644, "\n".join([
        "# was: ExecStart=/usr/bin/cloudflared tunnel run --token " + canaries.token("comment"),
        "[Service]",
        "Environment=TUNNEL_TOKEN=%s \"OTHER=a \\\" %s\"" % (
            canaries.token("environment"), canaries.token("quoted environment")),
        "Environment=HTTPS_PROXY=http://me:hunter2hunter2@proxy:8080",
        "SetCredential=other:" + canaries.token("credential"),
        "EnvironmentFile=-" + ENVIRONMENT_FILE, ""]))
    doctor.stock.put(ENVIRONMENT_FILE, 0o600, "TUNNEL_TOKEN=%s\n" %
                     canaries.token("environment file"))
    doctor.stock.put(ARGV_UNIT, 0o644, "[Service]\nRestart=always\nRestartSec=1\n"
                     "ExecStart=%s --token \\\n  %s\n" % (RUN, canaries.token("argv")))
    doctor.stock.put(CONFIGURATION, 0o600, "token: %s\n" % canaries.token("config.yml"))
    doctor.sh("systemctl daemon-reload && systemctl start --no-block canary-cloudflared")


def plant_words(doctor, canaries):
    text = doctor.stock.file(POLICY)[1]
    comments = "# api token: %s\n# tunnel: %s\n# password: hunter2hunter2\n"
    doctor.stock.put(POLICY, 0o644, comments % (WRITE_TOKEN, canaries.token("policy")) + text)
    doctor.findings("--ignore", "swap", "--why", "see " + canaries.token("reason"))
    # What a fault of setup would say, what another unit says, and what claims to be keyturnd.
    for unit in ("keyturn-setup", "chatty"):
        doctor.host.run("systemd-run", "--quiet", "--wait", "--collect", "--unit", unit,
                        "sh", "-c", SAY % (canaries.token(unit), canaries.token(unit + ", bytes")))
    doctor.sh("echo %s | systemd-cat --identifier=keyturnd" % canaries.token("forged"))


@pytest.fixture(name="doctor", scope="module")
def host_with_a_rotation_under_way(request, tmp_path_factory):
    with StockHost(tmp_path_factory.mktemp("dump") / "host", request.config.getoption("--build"),
                   LAYOUTS["two named services"]) as stock:
        doctor = Doctor(stock)
        doctor.make_network()
        stock.set_up("--plain-credential")
        stock.cloudflare.fault("hang", method="PATCH")
        stock.keyturn.rotate()
        stock.keyturn.wait_status(phase="commit")
        yield doctor


@pytest.fixture(name="canaries", scope="module")
def secrets_everywhere(doctor):
    canaries = Canaries(doctor.api.tunnel)
    plant_units(doctor, canaries)
    plant_words(doctor, canaries)
    for number, secret in enumerate(doctor.api.secrets()):
        canaries.tokens["tunnel's own %d" % number] = token_text(doctor.api.tunnel, secret)
    return canaries


@pytest.fixture(name="dump", scope="module")
def unpacked_dump(doctor, canaries):
    """Return what the command said, and {name: bytes} of the files in the dump."""
    said = doctor.host.run("keyturnctl", "doctor", "--dump", DUMP).stdout
    packed = doctor.host.directory / "share" / "dump.tar.gz"
    with tarfile.open(packed) as archive:
        members = {item.name.removeprefix(TOP): archive.extractfile(item).read()
                   for item in archive if item.isfile()}
    return said, members


def test_no_secret_is_in_it(doctor, canaries, dump):
    for name, data in dump[1].items():
        assert canaries.found_in(data) == [], name
        assert b"hunter2" not in data, name
    assert canaries.found_in(dump[0].encode()) == []


def test_the_search_finds_each_secret_where_it_was_planted(doctor, canaries):
    paths = " ".join([DROP_IN, ENVIRONMENT_FILE, ARGV_UNIT, CONFIGURATION, POLICY,
                      "/etc/keyturn/doctor-ignored"])
    found = canaries.found_in(doctor.host.run("sh", "-c", SOURCES % paths).stdout.encode())
    for name in ("API token", *(name for name in canaries.tokens if not name.endswith("bytes"))):
        assert any(one.startswith(name) for one in found), (name, found)
    said = doctor.host.run("journalctl", "--all", "--output=json", "--no-pager").stdout
    for unit in ("keyturn-setup", "chatty"):
        text = bytes(next(item["MESSAGE"] for item in map(json.loads, said.splitlines())
                          if item.get("_SYSTEMD_UNIT") == unit + ".service"
                          and isinstance(item["MESSAGE"], list)))
        assert "%s, bytes token" % unit in canaries.found_in(text)


def test_what_a_report_needs_is_in_it(doctor, dump):
    said, files = dump
    assert "ids of accounts, tunnels and connectors are in it" in said.replace("\n", " ")
    assert "tar tzf " + DUMP in said
    names = {"doctor.txt", "doctor.json", "status.json", "policy/keyturn.yaml", "security.txt",
             "policy/keyturn.d/90-sandbox.yaml", "units/keyturnd.service.txt", "state/web.json",
             "units/%s.txt" % UNIT, "units/canary-cloudflared.service.txt", "permissions.txt",
             "journal/keyturnd.jsonl", "journal/keyturn-setup.jsonl", "version.txt",
             "versions/systemd.txt", "versions/kernel.txt", "versions/cloudflared-1.txt"}
    assert names <= set(files)
    listed = {name: (int(size), int(count)) for size, count, name in re.findall(
        r"(?m)^ *(\d+) +(\d+)  (\S+)$", files["MANIFEST"].decode())}
    assert {name: size for name, (size, _) in listed.items()} == {
        name: len(data) for name, data in files.items() if name != "MANIFEST"}
    for name in ("units/%s.txt" % UNIT, "units/canary-cloudflared.service.txt",
                 "policy/keyturn.d/90-sandbox.yaml", "policy/doctor-ignored",
                 "journal/keyturn-setup.jsonl"):
        assert listed[name][1] > 0, name
    status = json.loads(files["status.json"])["tunnels"][0]
    assert status["name"] == "web" and status["phase"] == "commit"
    assert json.loads(files["doctor.json"])["findings"]
    events = [json.loads(line) for line in files["journal/keyturnd.jsonl"].splitlines()]
    assert "rotation" in " ".join(entry["MESSAGE"] for entry in events)
    assert b"api_url: https://" in files["policy/keyturn.d/90-sandbox.yaml"]
    assert b"ExecStart=/usr/bin/cloudflared" in files["units/%s.txt" % UNIT]
    assert b"/var/lib/keyturn/tokens/web" in files["permissions.txt"]


def test_a_dump_is_private_and_never_replaces_a_file(doctor, dump):
    assert doctor.host.output("stat", "--format=%a %u %g", DUMP) == "600 0 0"
    before = doctor.host.output("sha256sum", DUMP)
    done = doctor.host.run("keyturnctl", "doctor", "--dump", DUMP, check=False)
    assert done.returncode != 0 and "exists" in done.stderr
    assert doctor.host.output("sha256sum", DUMP) == before
    for options in (["--json"], ["--only", "swap"], [UNIT]):
        wrong = doctor.host.run("keyturnctl", "doctor", "--dump", "/root/x", *options, check=False)
        assert wrong.returncode == 2
    wrong = doctor.host.run("keyturnctl", "doctor", "--dump", "/nonsense/x", check=False)
    assert wrong.returncode == 1 and "/nonsense" in wrong.stderr
    assert not doctor.host.output("sh", "-c", "ls -d /run/keyturn-dump* 2>/dev/null || true")
    assert "only root" in doctor.host.run("keyturnctl", "doctor", "--dump", "/tmp/x",
                                          user="nobody", check=False).stderr
