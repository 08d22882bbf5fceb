"""What the hosts of a fleet have told of their own units, beside what the lead tells."""


class Turns:
    """Units have their names in the fleet: HOST/UNIT."""

    def __init__(self):
        self.granted = set()  # The lead has reported their restart, and their host not yet.
        self.down = set()  # Their host has begun the restart, and the lead has not verified them.
        self.received = {}  # Host to the fingerprint of the token that it has received.

    def take(self, event):
        """Take in what the host of a unit tells, or the lead."""
        if event.kind == "token_received":
            self.received[event.host] = event["FINGERPRINT"]
        elif event.kind == "turn_taken":
            self.granted.discard(event.fleet_unit)
            self.down.add(event.fleet_unit)
        elif event.kind == "unit_restarting":
            self.granted.add(event.unit)
        elif event.kind in ("unit_verified", "unit_left_stopped"):
            self.down.discard(event.unit)
        elif event.kind == "hold_lifted":
            self.down = set()  # A person has seen to the unit that was down.
        elif event.kind in ("rotation_started", "rotation_done"):
            self.granted, self.down = set(), set()
