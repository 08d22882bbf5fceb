"""What tests may turn: lags and delays, and faults of the API."""

import fnmatch
import itertools

ACTIONS = (
    "status", "close", "apply-close", "apply-status", "hang", "html", "truncate", "pass")
DEFAULTS = {
    "patch_returns_token": True,      # whether PATCH's answer has result.token
    "stale_token_seconds": 0.0,       # how long GET token keeps giving the token before a PATCH
    "connections_lag_seconds": 0.0,   # how old the API's lists of connectors are
    "propagation_lag_seconds": 0.0,   # how long the edge goes by the secret before a PATCH
    "clock_skew_seconds": 0.0,        # what the API's Date header is off by
    "rate_quota": 1200,               # calls allowed per credential and window; then 429
    "rate_window_seconds": 300.0,
    "registration_delay_seconds": 0.0,
    "registration_error": "",         # refuse every registration with this text
    "live_delay_seconds": 0.05,       # from a registration to the first request on it
    "close_after_drain": True,        # false: a drained connection is left open
    "origin_ip": "",                  # shown instead of the peer's address
}


class Fault:
    """One rule about API calls: which calls it is for, how often, and what happens to them."""

    _numbers = itertools.count(1)

    def __init__(self, do, method="*", path="*", times=None, after=0, delay=0.0, status=500,
                 headers=None, body=None, id=None):
        if do not in ACTIONS:
            raise ValueError("`do` must be one of %s" % ", ".join(ACTIONS))
        self.id = id or "fault-%d" % next(self._numbers)
        self.do = do
        self.method = method.upper()
        self.path = path
        self.left = times
        self.after = after
        self.delay = float(delay)
        self.status = int(status)
        self.headers = dict(headers or {})
        self.body = body
        self.hits = 0

    def claim(self, method, path):
        """Return whether this call is to fail, and count it if so."""
        if self.method not in ("*", method) or not fnmatch.fnmatchcase(path, self.path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.left is not None:
            if self.left <= 0:
                return False
            self.left -= 1
        self.hits += 1
        return True

    def value(self):
        """Return the rule as the control side shows it."""
        return {"id": self.id, "do": self.do, "method": self.method, "path": self.path,
                "times_left": self.left, "after": self.after, "delay": self.delay,
                "status": self.status, "hits": self.hits}


class Knobs:
    """The present position of every knob."""

    def __init__(self, initial):
        self._initial = initial
        self.reset()

    def reset(self):
        """Put everything back to where the configuration file had it."""
        self.faults = []
        self.__dict__.update(DEFAULTS)
        self.update(self._initial)

    def update(self, values):
        """Set the knobs named in `values`; raise ValueError and change nothing if one is wrong."""
        checked = {}
        for name, value in values.items():
            if name == "faults":
                checked["faults"] = [Fault(**item) for item in value]
            elif name not in DEFAULTS:
                raise ValueError("no knob is named %s" % name)
            elif isinstance(DEFAULTS[name], bool) != isinstance(value, bool):
                raise ValueError("%s: wrong type" % name)
            else:
                checked[name] = type(DEFAULTS[name])(value)
        self.__dict__.update(checked)

    def add_fault(self, value):
        """Add one fault behind those there are, and return it."""
        fault = Fault(**value)
        self.faults.append(fault)
        return fault

    def fault_for(self, method, path):
        """Return the first fault that claims this call, or None."""
        return next((fault for fault in self.faults if fault.claim(method, path)), None)

    def value(self):
        """Return all knobs as the control side shows them."""
        return {**{name: getattr(self, name) for name in DEFAULTS},
                "faults": [fault.value() for fault in self.faults]}
