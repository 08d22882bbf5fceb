"""Puts everything together."""

import contextlib
import uuid

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


class Scenario:
    """A host with the model of Cloudflare, connectors and traffic, with or without keyturnd.

    `build`: the build directory keyturn is installed from; None: there is no keyturn, and the
    scenario seeds the token file. `time_scale`: how long the stand-in waits between registrations,
    1.0 being as long as the real one. `units`: how many connectors; `cloudflared`: which program.
    """

    def __init__(self, directory, build=None, units=2, cloudflared=STAND_IN, time_scale=1.0,
                 start_timeout="15", stop_timeout="45", restart_pause="5"):
        self.host = ScenarioHost(directory, "--hostname", "tunnelhost")
        self.build = build
        self.cloudflare = Cloudflare(self.host, str(uuid.uuid4()), "web.example.test")
        self.journal = Journal(self.host)
        self.units = Units(self.host, self.cloudflare, self.journal, units)
        self.keyturn = Keyturn(self.host, self.cloudflare.tunnel)
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
        self.units.install(self._cloudflared)
        self.units.drop_in("sandbox", self._drop_in)
        if self.build:
            self.keyturn.install(self.build)
            self.keyturn.start()
        else:
            self.keyturn.install_store()
            self.keyturn.put_token(self.cloudflare.current()["token"])
        self.units.start()

    def delivered(self):
        """Return whether the token file holds the token that the API holds."""
        here = self.keyturn.token()
        return bool(here) and decoded(here) == decoded(self.cloudflare.current()["token"])

    def told(self):
        """Return what keyturnd and systemd said about it since the mark, for a failure's report."""
        entries = self.journal.read("SYSLOG_IDENTIFIER=keyturnd", "+", "_PID=1")
        return "\n".join("%.3f %s" % (moment(entry), entry["MESSAGE"]) for entry in entries)

    def reset(self):
        """Make everything as at the start: no faults, no drop-ins, no history, all connected."""
        self.cloudflare.heal()
        self.units.clear_drop_ins(keep="sandbox")
        self.keyturn.forget()
        self.journal.begin_history()
        self.keyturn.write_api_token(WRITE_TOKEN)
        self.keyturn.write_policy()
        with self.looks():
            self.keyturn.start()
        self.host.run("systemctl", "reset-failed", check=False)
        if not self._healthy():
            self.host.run("systemctl", "restart", *self.units.names)
            self.units.wait_full()
        self.journal.mark()

    @contextlib.contextmanager
    def looks(self):
        """Wait until keyturnd, started inside, has looked at Cloudflare as it does at its start."""
        before = max((call["n"] for call in self.cloudflare.calls()), default=0)
        yield
        wait_until(lambda: any(call["n"] > before and call["path"].endswith("/connections")
                               for call in self.cloudflare.calls()),
                   "the first look of keyturnd at the tunnel's connections")

    def _healthy(self):
        """Whether exactly the units are connected, all of them with the token that is valid."""
        state = self.cloudflare.tunnel_state()
        right = all(item["fingerprints"] == [state["fingerprint"]] for item in state["connectors"])
        active = all(self.units.show(unit, "SubState")["SubState"] == "running"
                     for unit in self.units.names)
        return right and active and self.units.full()
