"""Histories of a fleet: two hosts, each with one unit. Alpha leads until it dies."""

from telling import POLICY, swap

FLEET_POLICY = ["units=alpha/a,beta/b" if word.startswith("units=") else word for word in POLICY]


def told(host, *lines):
    """Return these lines as this host tells them."""
    return ["%s _HOSTNAME=%s _MACHINE_ID=%s" % (line, host, host) for line in lines]


def restarted(lead, host, unit, batch):
    """Return the lines of a restart: the lead's, and those of the host of the unit."""
    name = "TARGET_UNIT=%s/%s" % (host, unit)
    return (told(lead, "unit_restarting %s %s" % (name, batch)) +
            told(host, *[line % unit + " ROTATION_ID=r1 FINGERPRINT=f1"
                         for line in ("turn_taken %s", "+1 turn_ended %s")]) +
            told(lead, "+3 unit_verified %s %s" % (name, batch)))


STARTED = told("alpha", "daemon_started") + told("beta", "daemon_started")
MADE = told("alpha", "rotation_started", "secret_prepared", "secret_committed", "token_delivered")
RECEIVED = [line for host in ("alpha", "beta")
            for line in told(host, "token_received FINGERPRINT=f1")]
FIRST = told("alpha", "+5 batch_started 1/2") + restarted("alpha", "alpha", "a", "1/2")
SOAK = told("alpha", "soak_started 1/2", "+10 soak_ended 1/2")
SECOND = told("alpha", "batch_started 2/2") + restarted("alpha", "beta", "b", "2/2")
DONE = told("alpha", "+2 rotation_done 2/2")
BEGUN = STARTED + MADE + RECEIVED
WHOLE = BEGUN + FIRST + SOAK + SECOND + DONE
RESUMED = told("beta", "rotation_resumed PHASE=roll", "token_delivered 1/2 PHASE=roll")
REST = (told("beta", "batch_started 1/2", "soak_started 1/2", "+10 soak_ended 1/2",
             "batch_started 2/2") +
        restarted("beta", "beta", "b", "2/2") + told("beta", "+2 rotation_done 2/2"))
FIRST_DOWN = FIRST[:-1]  # Its unit was restarted and is not verified yet.

FLEET_KEEPS = {
    "a whole rotation": WHOLE,
    "another host goes on": BEGUN + FIRST + SOAK[:1] + RESUMED + REST,
    "one that led waits for the store meanwhile": BEGUN + FIRST + SOAK[:1] + RESUMED + told(
        "alpha", "rotation_waiting", "rotation_continued") + REST,
    "a host that follows is started": BEGUN + FIRST + told("beta", "daemon_started") + (
        SOAK + SECOND + DONE),
    "a unit without a connection": BEGUN + told("beta", "unit_revived b") + FIRST + SOAK + (
        SECOND + DONE),
}

FLEET_BREAKS = {
    "turn": {
        "not reported by the lead": BEGUN + FIRST[:1] + FIRST[2:],
        "twice": BEGUN + FIRST_DOWN + FIRST[2:],
        "of another rotation": swap(WHOLE, "turn_taken b", *told(
            "beta", "turn_taken b ROTATION_ID=r2 FINGERPRINT=f1")),
    },
    "alone": {"another host's unit is down": BEGUN + FIRST_DOWN + SECOND[1:]},
    "received": {"an older token": swap(WHOLE, "token_received", *told(
        "alpha", "token_received FINGERPRINT=f0"))},
    "resumed": {"another host goes on and does not say so": BEGUN + FIRST + SOAK[:1] + REST},
    "hold_survives": {"another host goes on after a hold": BEGUN + FIRST_DOWN + told(
        "alpha", "+9 rotation_held TARGET_UNIT=alpha/a 1/2") + RESUMED + REST},
    "waiting": {"the one that leads goes on without a word": BEGUN + FIRST + SOAK + told(
        "alpha", "rotation_waiting") + SECOND + DONE},
    "once": {"another host restarts a verified unit": BEGUN + FIRST + RESUMED + told(
        "beta", "batch_started 1/2") + restarted("beta", "alpha", "a", "1/2")},
}
