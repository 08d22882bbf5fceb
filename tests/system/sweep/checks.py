"""What has to be true right after a kill, and when the rotation has ended."""

import base64
import binascii
import collections
import dataclasses
import json
import re

from chronicle import Judge, Policy, read_entries
from scenario.keyturn import STATE

PENDING = STATE + "/pending/web"
HISTORY = STATE + "/history/web.jsonl"
# What is in the state directory when nothing is under way.
AT_REST = {"ballast", "lock", "history/web.jsonl", "state/web.json", "state/web.json.1",
           "tokens/web"}
# What a look of keyturnd writes, and takes away at once, to see whether files can be replaced.
PROBE = re.compile(r"(tokens|pending|state|history)/\.web[.a-z]*\.keyturn-[0-9a-f]{8}\.tmp")
PROMISES = ("settle", "soak", "min_healthy_time")


@dataclasses.dataclass(frozen=True)
class Complaint:
    """What is wrong: the check that found it, and a sentence without a secret."""

    check: str
    sentence: str

    def __str__(self):
        return "%s: %s" % (self.check, self.sentence)


@dataclasses.dataclass(frozen=True)
class Before:
    """How things were before the story."""

    secret: str
    secrets: int
    rotations: tuple
    invocations: dict
    seeded: bool  # There was a token file.


def secret_in(token):
    """Return the secret in a token; None: it is not whole."""
    try:
        return json.loads(base64.b64decode(token.strip(), validate=True))["s"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def rotations(scenario):
    """Return (rotation, outcome) of every line of the history file, oldest first."""
    text = scenario.host.run("cat", HISTORY, check=False).stdout
    entries = [json.loads(line) for line in text.splitlines()]
    return tuple((entry["rotation_id"], entry["outcome"]) for entry in entries)


def look(scenario):
    """Return how things are."""
    return Before(scenario.cloudflare.current()["secret"],
                  len(scenario.cloudflare.tunnel_state()["fingerprints"]), rotations(scenario),
                  scenario.units.invocations(), scenario.keyturn.token() != "")


def files(scenario):
    """Return {name under the state directory: mode}."""
    text = scenario.host.output("find", STATE, "-ignore_readdir_race", "-type", "f",
                                "-printf", "%P %m\\n")
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


def kept_secrets(scenario):
    """Return the secrets that the pending file holds; None: it is there and not whole."""
    text = scenario.host.run("cat", PENDING, check=False).stdout
    if not text.strip("\0"):
        return set()  # There is none; or it is overwritten already, and was to be removed next.
    try:
        value = json.loads(text)
        secrets = {secret_in(value["old_token"]), secret_in(value["new_token"])}
    except (ValueError, KeyError, TypeError):
        return None
    return None if None in secrets else secrets


def after_kill(scenario, before):
    """Return what is wrong with the files of a keyturnd that was killed a moment ago."""
    token = scenario.keyturn.token()
    here = secret_in(token)
    kept = kept_secrets(scenario)
    at_api = scenario.cloudflare.current()["secret"]
    modes = files(scenario)
    wrong = []
    if here is None and (before.seeded or "tokens/web" in modes):
        wrong.append(Complaint("token file", "it has %d bytes that are no token" % len(token)))
    elif here not in (None, before.secret, at_api):
        wrong.append(Complaint("token file", "its secret is neither the old one nor the API's"))
    if kept is None:
        wrong.append(Complaint("recoverable", "the pending file is not whole"))
    if at_api not in {here} | (kept or set()) and (before.seeded or at_api != before.secret):
        wrong.append(Complaint("recoverable", "the API's secret is in no file here"))
    wide = [name for name, mode in modes.items() if mode != "600"]
    if wide:
        wrong.append(Complaint("modes", "not 0600: " + ", ".join(wide)))
    return wrong + secrets_made(scenario, before, (0, 1))


def secrets_made(scenario, before, allowed):
    """Complain if more, or fewer, secrets were made than one rotation makes."""
    made = len(scenario.cloudflare.tunnel_state()["fingerprints"]) - before.secrets
    if made in allowed:
        return []
    return [Complaint("one secret", "the API has got %d new ones" % made)]


def untouched(scenario, before):
    """Return what has been touched although no rotation was taken up; keyturnd runs, and looks."""
    wrong = secrets_made(scenario, before, (0,))
    if secret_in(scenario.keyturn.token()) != before.secret:
        wrong.append(Complaint("untouched", "the token file is another one"))
    if scenario.units.invocations() != before.invocations:
        wrong.append(Complaint("untouched", "a unit was restarted"))
    there = [name for name in files(scenario) if not PROBE.fullmatch(name)]
    return wrong + left_over(there, {"ballast", "lock", "tokens/web"})


def left_over(names, least):
    """Complain about files that belong to no installation at rest, and about missing ones."""
    there = set(names)
    wrong = []
    if there - AT_REST:
        wrong.append("too much: " + ", ".join(sorted(there - AT_REST)))
    if least - there:
        wrong.append("missing: " + ", ".join(sorted(least - there)))
    return [Complaint("leftovers", sentence) for sentence in wrong]


def at_end(scenario, before):
    """Return what is wrong when the rotation has ended and keyturnd was stopped."""
    wrong = secrets_made(scenario, before, (1,)) + left_over(files(scenario), AT_REST)
    state = scenario.cloudflare.tunnel_state()
    if not scenario.delivered():
        wrong.append(Complaint("token file", "it does not hold the API's token"))
    if [item["fingerprints"] for item in state["connectors"]] != [[state["fingerprint"]]] * 2:
        wrong.append(Complaint("units", "not all are on the API's token: %s at %s" % (
            state["connectors"], state["fingerprint"])))
    now = rotations(scenario)
    new = [outcome for rotation, outcome in now if (rotation, outcome) not in before.rotations]
    again = [item for item, count in collections.Counter(now).items() if count > 1]
    if new != ["done"] or again:
        wrong.append(Complaint("history file", "new outcomes: %s; there twice: %s" % (new, again)))
    return wrong + judged(scenario)


def judged(scenario):
    """Let tests/history judge what keyturnd has told in this story."""
    scenario.host.run("journalctl", "--sync")
    rollout = scenario.keyturn.rollout
    words = ["%s=%s" % (key, rollout[key]) for key in PROMISES] + ["batches=2", "ends=yes"]
    breaches = Judge(Policy().with_words(words)).read(read_entries(scenario.journal.history()))
    return [Complaint("journal", str(breach)) for breach in breaches]
