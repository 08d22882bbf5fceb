"""A test host that is set up and taken out again, again and again, and disturbed meanwhile."""

import time

from layouts import LAYOUTS
from scenario import StockHost, wait_until
from scenario.cloudflare import API_URL, WRITE_TOKEN
from scenario.keyturn import UNIT
from scenario.stock import SANDBOX_POLICY

from sweep import setup_checks
from sweep.checks import Complaint
from sweep.stage import Outcome, Wrong

WORN = {"argv": "stock until 2026.7.1", "file": "stock since 2026.7.2",
        "config": "config.yml with a token", "two": "two named services"}
# "renew": setup with a new API token, where everything else is done.
COMMANDS = ("setup", "adopt", "undo", "renew")
# After the kill: at once the same command again; or first wait for keyturnd, and start every unit.
HURRIED = "-hurried"
STORIES = tuple("%s-%s%s" % (layout, command, manner) for layout in WORN for command in COMMANDS
                for manner in ("", HURRIED))
OPTIONS = {"setup": ["setup", "--yes", "--api-token-file", "-"], "adopt": ["adopt", "--yes"],
           "undo": ["adopt", "--yes", "--undo"]}
OPTIONS["renew"] = OPTIONS["setup"]
WITH_API_TOKEN = ("setup", "renew")
OLD_API_TOKEN = "cfut_old-00000000000000000000000000001"
# A host whose API token was stored unencrypted, and is worth nothing any more.
AGE = """
rm -r /etc/systemd/system/keyturnd.service.d /etc/keyturn/cloudflare-api-token.cred
systemctl daemon-reload
systemctl restart keyturnd
"""
ROLLOUT = ('{"settle": "10ms", "soak": "50ms", "min_healthy_time": "50ms", '
           '"healthy_deadline": "10s", "progress_deadline": "10min"}')
QUICK_UNITS = "[Service]\nEnvironment=SANDBOX_TIME_SCALE=0.02\n"
PLACE = "/run/keyturn-sweep"
LOG = PLACE + "/log"
# The unit that keyturnctl starts runs this in the place of its program. No daemon-reload is needed
# to change what it does: that would help the program, too.
TRACED = """#!/bin/sh
set -f
IFS='
'
set -- $(cat %(place)s/words)
[ ! -s %(place)s/strace ] || exec /usr/bin/strace -DDD -o %(place)s/log $(cat %(place)s/strace) \\
    /usr/libexec/keyturn/keyturn-setup "$@"
exec /usr/libexec/keyturn/keyturn-setup "$@"
""" % {"place": PLACE}
# With -ff there is a log for each process: that of keyturn-setup, and all of the others.
OWN_LOG = """cat $(grep -l '^execve("/usr/libexec/keyturn/keyturn-setup"' "$1" "$1".*)"""
FORGET_LOGS = 'rm -f "$1" "$1".*'
COMMAND_LINES = 'grep -h "^execve(" "$1" "$1".*'
DROP_IN = "[Service]\nExecStart=\nExecStart=%s/traced\n" % PLACE
# As it was before anything of keyturn was there, but for the package's files.
FORGET = """
systemctl stop keyturn-setup.service keyturnd keyturn-surge@web.service
systemctl --quiet disable keyturnd
[ -z "$*" ] || systemctl kill --signal=KILL "$@"
systemctl stop "$@"
for unit in "$@"; do rm -rf "/etc/systemd/system/$unit" "/etc/systemd/system/$unit.d"; done
rm -rf /etc/cloudflared /etc/systemd/system/keyturnd.service.d /run/systemd/system/*.d/quick.conf
find /etc/systemd/system /etc/polkit-1/rules.d /etc/keyturn -name '*.keyturn' -delete
find /etc/systemd/system -name 'keyturn-surge@*' -delete
rm -f /etc/keyturn/keyturn.yaml /etc/keyturn/keyturn.d/web.yaml /etc/keyturn/cloudflare-api-token*
rm -rf /etc/polkit-1/rules.d/*keyturn* /etc/keyturn/attested
find /var/lib/keyturn -mindepth 1 ! -type d -delete
:
"""
PATIENCE = 40.0
STEP_SECONDS = 0.03


class SetupStage:
    """One host. `play` is one story: a command is killed, given again, and undone."""

    def __init__(self, directory, build):
        self.stock = StockHost(directory, build, LAYOUTS[WORN["argv"]])
        self.scenario = self.stock  # As the other stage calls it.
        self.patience = PATIENCE
        self.commands = ""  # The command lines of what keyturn-setup has started.
        self._ends = {}    # Story to the look after an undisturbed run.
        self._begins = {}
        self._undone = {}
        self._reader = setup_checks.Reader(self.stock)
        self._said = ""
        self._leaks = []

    def __enter__(self):
        self.stock.__enter__()
        try:
            self._install()
        except BaseException:
            self.stock.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stock.__exit__()

    def _install(self):
        self.stock.put(PLACE + "/traced", 0o755, TRACED)
        self.stock.put("/etc/systemd/system/keyturn-setup.service.d/traced.conf", 0o644, DROP_IN)
        self.stock.put("/etc/keyturn/keyturn.d/90-sandbox.yaml", 0o644,
                       SANDBOX_POLICY % (API_URL, ROLLOUT))
        self.stock.host.run("systemctl", "daemon-reload")

    def knows(self, other):
        """Take over how another stage has seen the undisturbed runs."""
        self._ends, self._begins, self._undone = other.known()

    def known(self):
        """Return what `knows` takes over."""
        return self._ends, self._begins, self._undone

    def repair(self):
        """Nothing: every story begins with a host that nothing has been done to."""

    def play(self, story, lives, after_kill=None, at_end=None, after_undo=None):
        """Play a story. `lives`: options of strace for the command.

        The functions do harm to the stage, to show that the checks see it.
        """
        outcome = Outcome()
        self._leaks = []
        began = time.monotonic()
        plain = story.removesuffix(HURRIED)
        command = plain.partition("-")[2]
        try:
            self._begin(plain)
            self._command(command, lives[0], outcome)
            if outcome.kills:
                (after_kill or (lambda _: None))(self)
                outcome.complaints += setup_checks.after_kill(
                    self._reader.look(), self._begins[plain], self._ends[plain])
                if story == plain:
                    self._settle()
                    self._start_units()
                self._again(command)
                (at_end or (lambda _: None))(self)
            self._end(plain, command, outcome)
            if command != "undo":
                self._undo(plain, after_undo or (lambda _: None), outcome)
        except Wrong as error:
            outcome.complaints.append(error.complaint)
        except AssertionError as error:
            outcome.complaints.append(Complaint("finished", str(error)))
        outcome.complaints += self._leaks + self._reader.journal_leaks()
        outcome.seconds = time.monotonic() - began
        return outcome

    def _begin(self, story):
        layout, command = story.split("-")
        self.stock.cloudflare.heal()  # Hundreds of stories would use up the calls of an account.
        self._bare(LAYOUTS[WORN[layout]])
        self.stock.journal.mark()
        if command == "adopt":
            self._write_policy(self._ends[layout + "-setup"])
        if command in ("undo", "renew"):
            self._give("setup", check=True)
        if command == "undo":
            self.stock.rotate()
        if command == "renew":
            self.stock.keyturn.write_api_token(OLD_API_TOKEN)
            self.stock.host.run("sh", "-c", AGE)
            self._settle()
        look = self._reader.look()
        self._begins.setdefault(story, look)
        wrong = setup_checks.difference(self._begins[story].at_rest(), look.at_rest())
        if wrong:
            raise Wrong("begin", "the host is not as at the start: " + "; ".join(wrong))

    def _bare(self, layout):
        stock = self.stock
        stock.host.run("sh", "-c", FORGET, "forget", *stock.units.names, check=False)
        stock.layout = layout
        stock.units.names = list(layout.units)
        for path, (mode, text) in layout.written(stock.values()).items():
            stock.put(path, mode, text)
        for unit in stock.units.names:
            stock.put("/run/systemd/system/%s.d/sandbox.conf" % unit, 0o644,
                      "[Service]\nEnvironment=TUNNEL_EDGE=127.0.0.1:7844\n")
            stock.put("/run/systemd/system/%s.d/zquick.conf" % unit, 0o644, QUICK_UNITS)
        stock.host.run("systemctl", "daemon-reload")
        stock.host.run("systemctl", "reset-failed", check=False)
        stock.units.start()

    def _write_policy(self, end):
        """Write what somebody has who wrote policy and rule by hand; keyturnd runs."""
        for path, (mode, _, text) in end.files.items():
            ours = path.startswith(("/etc/keyturn/keyturn.", "/etc/polkit-1/"))
            if ours and mode.startswith("10"):
                self.stock.put(path, 0o644, text.replace(
                    "<tunnel>", self.stock.cloudflare.tunnel))
        self.stock.keyturn.write_api_token(WRITE_TOKEN)
        self.stock.host.run("systemctl", "--quiet", "enable", "--now", UNIT)
        wait_until(self.stock.keyturn.token, "the token file that keyturnd seeds")
        self._settle()

    def _tell(self, command, strace=""):
        """Say what the next command is to run with."""
        words = list(OPTIONS[command])
        if command not in WITH_API_TOKEN:
            words += self.stock.units.names
        self.stock.put(PLACE + "/words", 0o600, "\n".join(words))
        self.stock.put(PLACE + "/strace", 0o600, "\n".join(strace.split()))
        return words

    def _give(self, command, strace="", check=False):
        words = self._tell(command, strace)
        done = self.stock.host.run("keyturnctl", *words, check=False,
                                   feed=WRITE_TOKEN if command in WITH_API_TOKEN else "")
        self._said = done.stdout + done.stderr
        self._leaks += self._reader.leaks("the output of " + command, self._said)
        if check and done.returncode != 0:
            raise Wrong("finished", "%s ends with %d: %s" % (
                command, done.returncode, "; ".join(self._said.strip().splitlines()[-2:])))
        return done

    def _command(self, command, strace, outcome):
        """Give the command that is traced; it ends well, or is killed."""
        self._shell(FORGET_LOGS)
        done = self._give(command, strace)
        if done.returncode != 0:
            log = self.stock.host.run("journalctl", "--no-pager", "-o", "cat", "-n", "20",
                                      "_PID=1", "UNIT=keyturn-setup.service").stdout
            if "code=killed, status=9/KILL" not in log:
                raise Wrong("finished", "%s ends with %d: %s" % (
                    command, done.returncode, "; ".join(self._said.strip().splitlines()[-2:])))
            outcome.kills = 1
            outcome.told = "%s" % ([""] + self._said.strip().splitlines())[-1][:30]
        outcome.log = self._shell(OWN_LOG)
        self.commands = self._shell(COMMAND_LINES)
        outcome.complaints += self._reader.leaks("a command line", self.commands)
        self._shell(FORGET_LOGS)

    def _shell(self, script):
        """Run a script with the path of the log; return what it says."""
        return self.stock.host.run("sh", "-c", script, "logs", LOG, check=False).stdout

    def _settle(self):
        """Wait until keyturnd does nothing any more."""
        def settled():
            active = self.stock.units.show(UNIT, "ActiveState")["ActiveState"]
            if active not in ("active", "activating", "reloading"):
                return True
            status = self.stock.keyturn.status()
            if not status:
                return active == "active" and self.stock.keyturn.ctl("status").returncode == 0
            return status["state"] in ("idle", "held") and status["phase"] is None
        wait_until(settled, lambda: "the end; keyturnd says %s" % self.stock.keyturn.status(),
                   self.patience, STEP_SECONDS)

    def _start_units(self):
        """Restart every unit as a person or the next boot may; also after a daemon-reload."""
        self._restart_all("the units do not start")
        names = self.stock.units.names
        stale = [unit for unit in names
                 if self.stock.units.show(unit, "NeedDaemonReload")["NeedDaemonReload"] == "yes"]
        if stale:
            self.stock.host.run("systemctl", "daemon-reload")
            self._restart_all("the units do not start after a daemon-reload")

    def _restart_all(self, sentence):
        done = self.stock.host.run("systemctl", "restart", *self.stock.units.names, check=False)
        if done.returncode != 0:
            raise Wrong("starts", "%s: %s" % (sentence, done.stderr.strip()))
        try:
            wait_until(self.stock.units.healthy, "the units to serve", self.patience / 2)
        except AssertionError:
            raise Wrong("starts", sentence + " and serve with the tunnel's token: %s" % list(
                self.stock.cloudflare.connectors().values())) from None

    def _again(self, command):
        """Give the same command again; now it has to end well."""
        self._give(command, check=True)
        self._settle()

    def _end(self, story, command, outcome):
        """Compare the host with that after an undisturbed run; the first run is that one."""
        if not self.stock.units.healthy():
            raise Wrong("serves", "the units do not serve with the tunnel's token")
        look = self._reader.look()
        if story not in self._ends:
            self._ends[story] = look
        outcome.complaints += setup_checks.at_end(look, self._ends[story])

    def _undo(self, story, harm, outcome):
        """Take the units out again: the files are as before, but for the token."""
        self._give("undo", check=True)
        harm(self)
        if not self.stock.units.healthy():
            raise Wrong("serves", "the units do not serve after the undo")
        look = self._reader.look()
        self._undone.setdefault(story, look)
        outcome.complaints += [
            Complaint("undone", text) for text in setup_checks.difference(
                self._undone[story].at_rest(), look.at_rest())]
        changed = self._reader.changed()
        if changed:
            outcome.complaints.append(Complaint("undone", "not as before: " + ", ".join(changed)))

    def told(self):
        """Return what was told in the story that was played last."""
        return "-- said\n%s\n-- journal\n%s" % (self._said, "\n".join(
            self.stock.told().splitlines()[-25:]))
