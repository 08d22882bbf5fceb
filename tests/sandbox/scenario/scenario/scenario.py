"""Puts everything together."""

import contextlib

from scenario.cloudflare import WRITE_TOKEN, Cloudflare, decoded
from scenario.host import ScenarioHost
from scenario.journal import Journal, moment
from scenario.keyturn import Keyturn
from scenario.places import STAND_IN
from scenario.traffic import Traffic
from scenario.units import Units
from scenario.waiting import wait_until

DROP_IN = """[Service]
TimeoutStartSec=%(start_timeout)s
TimeoutStopSec=%(stop_timeout)s
RestartSec=%(restart_pause)s
Environment=SANDBOX_TIME_SCALE=%(time_scale)s
"""


class Neighbour:
    """Another tunnel of the host: the model as it knows it, and its connectors."""

    def __init__(self, scenario, name, units):
        self.cloudflare = scenario.cloudflare.beside(name)
        self.units = Units(scenario.host, self.cloudflare, scenario.journal, units)


class Scenario:
    """A host with the model of Cloudflare, connectors and traffic, with or without keyturnd.

    `build`: the build directory keyturn is installed from; None: there is no keyturn, and the
    scenario seeds the token file. `time_scale`: how long the stand-in waits between registrations,
    1.0 being as long as the real one. `units`: how many connectors a tunnel has; `cloudflared`:
    which program. The tunnel is "web"; `others` names more of them, whose parts are in the
    dictionary `others`. `knobs`: those of the model that are not as they are by default.
    `system_ca`: keyturnd trusts the authorities of the system, the sandbox's among them.
    """

    def __init__(self, directory, build=None, units=2, cloudflared=STAND_IN, time_scale=1.0,
                 start_timeout="15", stop_timeout="45", restart_pause="5", others=(), knobs=None,
                 system_ca=False):
        self.host = ScenarioHost(directory, "--hostname", "tunnelhost")
        self.build = build
        self.cloudflare = Cloudflare(self.host, knobs=knobs)
        self.journal = Journal(self.host)
        self.units = Units(self.host, self.cloudflare, self.journal, units)
        self.others = {name: Neighbour(self, name, units) for name in others}
        self.keyturn = Keyturn(self.host, self.cloudflare.tunnel, {
            name: other.cloudflare.tunnel for name, other in self.others.items()}, system_ca)
        self.traffic = Traffic(self.host, self.cloudflare.hostname)
        self._cloudflared = cloudflared
        self._drop_in = DROP_IN % {"time_scale": time_scale, "start_timeout": start_timeout,
                                   "stop_timeout": stop_timeout, "restart_pause": restart_pause}

    def __enter__(self):
        self.host.__enter__()
        try:
            self._set_up()
        except BaseException as error:
            error.add_note(self.told())
            self.host.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.host.__exit__()

    def _set_up(self):
        self.cloudflare.start()
        for units in self._all_units():
            units.install(self._cloudflared)
            units.drop_in("sandbox", self._drop_in)
        if self.build:
            self.keyturn.install(self.build)
            self.keyturn.start()
        else:
            self.keyturn.install_store()
            self.keyturn.put_token(self.cloudflare.current()["token"])
        for units in self._all_units():
            units.start()

    def _all_units(self):
        return [self.units, *(other.units for other in self.others.values())]

    def cloudflare_of(self, name):
        """Return the model as the tunnel of this name knows it."""
        return self.cloudflare if name == "web" else self.others[name].cloudflare

    def delivered(self, of="web"):
        """Return whether the token file holds the token that the API holds."""
        here = self.keyturn.token(of)
        return bool(here) and decoded(here) == decoded(self.cloudflare_of(of).current()["token"])

    def told(self):
        """Return what keyturnd and systemd said about it since the mark, for a failure's report."""
        entries = self.journal.read("SYSLOG_IDENTIFIER=keyturnd", "+", "_PID=1")
        return "\n".join("%.3f %s" % (moment(entry), entry["MESSAGE"]) for entry in entries)

    def reset(self):
        """Make everything as at the start: no faults, no drop-ins, no history, all connected."""
        self.traffic.abandon()
        self.cloudflare.heal()
        self.units.clear_drop_ins(keep="sandbox")
        self.keyturn.forget()
        self.journal.begin_history()
        self.keyturn.write_api_token(WRITE_TOKEN)
        self.keyturn.write_policy()
        with self.looks():
            self.keyturn.start()
        self.host.run("systemctl", "reset-failed", check=False)
        for units in self._all_units():
            if not units.healthy():
                units.restart()
        self.journal.mark()

    @contextlib.contextmanager
    def looks(self):
        """Wait until keyturnd, started inside, has looked at Cloudflare as it does at its start."""
        before = max((call["n"] for call in self.cloudflare.calls()), default=0)
        yield
        wait_until(lambda: any(call["n"] > before and call["path"].endswith("/connections")
                               for call in self.cloudflare.calls()),
                   "the first look of keyturnd at the tunnel's connections")
