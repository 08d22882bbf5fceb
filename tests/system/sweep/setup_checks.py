"""What has to be true of a host when keyturnctl setup or adopt was killed, and at the end."""

import base64
import contextlib
import dataclasses
import json
import os
import pathlib
import re

from scenario.cloudflare import WRITE_TOKEN, decoded
from scenario.keyturn import UNIT

from sweep.checks import Complaint

LOOK = pathlib.Path(__file__).with_name("look_inside.py").read_text(encoding="utf-8")
TOKENS = "/var/lib/keyturn/tokens"
SURGE = "keyturn-surge@web.service"
ATTESTED = "/etc/keyturn/attested/"
# What an attestation has another of in every run: in itself, and of each file.
OF_CHANCE = ("date", "salt", "settings", "device", "inode", "size", "modified", "changed")
SEALED = "/etc/keyturn/cloudflare-api-token.cred"
RUNNING = "/run/credentials/keyturnd.service/cloudflare-api-token"
UNSEAL = 'systemd-creds decrypt --name=cloudflare-api-token "$1" -'
TELLING = ("_SYSTEMD_UNIT=keyturn-setup.service", "+", "_SYSTEMD_UNIT=" + UNIT, "+", "_PID=1")
PROPERTIES = ("Id", "ActiveState", "UnitFileState", "NeedDaemonReload", "FragmentPath",
              "DropInPaths", "MainPID")
TOKEN = re.compile(r"eyJ[A-Za-z0-9+/]{60,}=*")
SECRET = re.compile(r'(?<="TunnelSecret":")[^"]*')
# What a drop-in remembers of the token before (lib/setup, unit_drop_in).
FINGERPRINT = re.compile(r"(?<=# The token before has the fingerprint )[0-9a-f]+")
# What a run that is killed leaves for the next one to remove.
TEMPORARY = re.compile(r"/\.(.*)\.keyturn$")
# The sweep's own, and directories that stay.
NOT_COUNTED = re.compile(
    r"/etc/systemd/system/keyturn-setup\.service\.d|/etc/systemd/system(/[a-z-]*\.target\.wants)?$|"
    r"/etc/polkit-1(/rules\.d)?$|/etc/keyturn/sandbox-ca\.pem$|"
    r"/etc/keyturn(/keyturn\.d|/attested)?$|/etc/systemd$")


@dataclasses.dataclass(frozen=True)
class Look:
    """How a host is: {path: (mode, owner, text)}, {unit: {property: value}}, what is too wide."""

    files: dict
    units: dict
    wide: list

    def at_rest(self):
        """Return what of it is the same after every run: keyturnd's own files are by name only."""
        files = {path: (mode, owner, text if counted(path) else "")
                 for path, (mode, owner, text) in self.files.items() if not kept_by_keyturnd(path)}
        return files, self.units


def kept_by_keyturnd(path):
    """Return whether keyturnd writes this file whenever it likes."""
    return path.startswith("/var/lib/keyturn/") and not counted(path)


def counted(path):
    """Return whether the text of the file has to be the same after every run."""
    return not path.startswith("/var/lib/keyturn/") or path.startswith(TOKENS + "/")


def without_chance(text):
    """Return what an attestation says without what every run has another of."""
    try:
        attestation = json.loads(text)
        for part in (attestation, *attestation["files"]):
            part.update({key: "<any>" for key in OF_CHANCE if part.get(key)})
        return json.dumps(attestation, indent=1)
    except (ValueError, KeyError, TypeError, AttributeError):
        return text


def changes_of_this_machine():
    """Return (path, time of the last change) of what a test host shows of this machine's /etc."""
    changes = set()
    for folder, folders, names in os.walk("/etc"):
        for path in (os.path.join(folder, name) for name in folders + names):
            with contextlib.suppress(OSError):  # It is gone.
                changes.add((path, os.lstat(path).st_ctime_ns))
    return changes


class Reader:
    """Reads how a host is, with names in the place of secrets that are others in every run."""

    def __init__(self, stock):
        self._stock = stock
        self._current = None
        self._fingerprint = None

    def leaks(self, where, text):
        """Complain if the text has a secret: the API token, or any that the tunnel has had."""
        current = self._stock.cloudflare.current()
        secrets = [("the API token", WRITE_TOKEN), ("the tunnel's token", current["token"])]
        secrets += [("a secret of the tunnel", secret) for secret in current["secrets"]]
        return [Complaint("secrets", "%s holds %s" % (where, name))
                for name, secret in secrets if secret in text][:1]

    def journal_leaks(self):
        """Complain if what keyturnd and keyturn-setup have said to the journal has a secret."""
        return self.leaks("the journal", "\n".join(
            json.dumps(entry) for entry in self._stock.journal.read(*TELLING)))

    def look(self):
        """Return how the host is."""
        self._current = self._stock.cloudflare.current()
        self._fingerprint = self._stock.cloudflare.fingerprint()
        needles = {"the tunnel's secret": self._current["secret"],
                   "the tunnel's token": self._current["token"], "the API token": WRITE_TOKEN}
        machine = changes_of_this_machine()
        seen = json.loads(self._stock.host.run("python3", "-I", "-c", LOOK,
                                               feed=json.dumps(needles)).stdout)
        machine |= changes_of_this_machine()
        wide = [tuple(item) for item in seen["wide"] if not self._of_the_layout(item[0])]
        files = {path: (mode, owner, self.named(path, text))
                 for path, (mode, owner, text, time) in seen["files"].items()
                 if not NOT_COUNTED.match(path) and (path, time) not in machine}
        return Look(files, self._units(), wide)

    def changed(self):
        """Return the files of the layout that are not as they were, but for the token."""
        changed = []
        for path, (mode, text) in self._stock.layout.written(self._stock.values()).items():
            mode_now, now = self._stock.file(path) or (0, "")
            if mode_now != mode or self.named(path, now) != self.named(path, text):
                changed.append(path)
        return changed

    def _of_the_layout(self, path):
        modes = {path: mode for path, (mode, _) in
                 self._stock.layout.written(self._stock.values()).items()}
        return modes.get(path, 0) & 0o077

    def named(self, path, text):
        """Return the text of a file with names in the place of what every run has another of."""
        if path == SEALED and text:
            text = self._stock.host.run("sh", "-c", UNSEAL, "unseal", path, check=False).stdout
        if path.startswith(ATTESTED):
            text = without_chance(text)
        text = text.replace(self._stock.cloudflare.tunnel, "<tunnel>")
        text = TOKEN.sub(lambda match: self._name_of_token(match[0]), text)
        text = SECRET.sub(lambda match: self._name_of_secret(match[0]), text)
        return FINGERPRINT.sub(lambda match: "<current>" if match[0] == self._fingerprint else
                               "<old>", text)

    def _name_of_token(self, text):
        try:
            said = decoded(text)
        except (ValueError, base64.binascii.Error):
            return "<no token>"
        return self._name_of_secret(said["s"])

    def _name_of_secret(self, secret):
        if secret == self._current["secret"]:
            return "<current>"
        return "<old>" if secret in self._current["secrets"] else "<unknown>"

    def _units(self):
        units = {}
        for unit in (*self._stock.units.names, UNIT, SURGE):
            shown = self._stock.units.show(unit, *PROPERTIES)
            process = shown.pop("MainPID")
            shown["command"] = self._command(process) if unit in self._stock.units.names else ""
            units[unit] = shown
        running = self._stock.host.run("cat", RUNNING, check=False).stdout
        units[UNIT]["credential"] = {"": "none", WRITE_TOKEN: "new"}.get(running, "old")
        return units

    def _command(self, process):
        words = self._stock.host.run("cat", "/proc/%s/cmdline" % process, check=False).stdout
        return self.named("", words.replace("\0", " "))


def difference(wanted, seen):
    """Return in words how a host differs from what is wanted: two results of `Look.at_rest`."""
    said = []
    for before, after in zip(wanted, seen):
        for name in sorted({*before, *after}):
            if before.get(name) == after.get(name):
                continue
            if name not in after or name not in before:
                said.append("%s is %s" % (name, "missing" if name in before else "there"))
            else:
                said.append("%s is not as after an undisturbed run: %s" % (
                    name, in_words(before[name], after[name])))
    return said


def in_words(wanted, seen):
    """Return the parts that differ of a file or a unit."""
    if isinstance(wanted, dict):
        return ", ".join("%s=%s" % (key, seen[key]) for key in wanted if wanted[key] != seen[key])
    parts = [str(part) for old, part in zip(wanted[:2], seen[:2]) if old != part]
    if wanted[2] != seen[2]:
        there = set(wanted[2].splitlines())
        new = [line for line in seen[2].splitlines() if line not in there]
        parts += new[:3] or ["lines are out"]
    return ", ".join(parts)


def too_wide(look):
    """Complain about files with a secret that others than root may read."""
    return [Complaint("modes", "%s holds %s, and is wider than 0600" % item) for item in look.wide]


def after_kill(look, begin, end):
    """Return what is wrong with the files right after the kill: each is old or new, and whole."""
    wrong = too_wide(look)
    for path, item in look.files.items():
        if kept_by_keyturnd(path) or TEMPORARY.search(path) or item[0].startswith("4"):
            continue
        if item not in (begin.files.get(path), end.files.get(path)):
            wrong.append(Complaint("whole files", "%s is neither the old nor the new one" % path))
    return wrong + [Complaint("whole files", "%s is gone" % path) for path in begin.files
                    if path in end.files and path not in look.files and not kept_by_keyturnd(path)]


def at_end(look, end):
    """Return what is wrong when the same command has ended well after a kill."""
    left = [path for path in look.files if TEMPORARY.search(path)]
    return too_wide(look) + [Complaint("leftovers", "there is still " + path) for path in left] + [
        Complaint("as undisturbed", text) for text in difference(end.at_rest(), look.at_rest())]
