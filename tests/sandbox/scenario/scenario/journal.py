"""The journal of a test host, as values."""

import json
import re
import time

from scenario.places import EVENT_TABLE
from scenario.waiting import wait_until

ROW = re.compile(r'"(\w+)", "([0-9a-f]{32})"')
EVENT_IDS = dict(ROW.findall(EVENT_TABLE.read_text(encoding="utf-8")))
# Journald writes this field itself; everything else in an entry may be anybody's.
FROM_KEYTURND = "_SYSTEMD_UNIT=keyturnd.service"
EVENT_NAMES = {number: name for name, number in EVENT_IDS.items()}


def event_name(entry):
    """Return the name of keyturnd's event in a journal entry, or ''."""
    return EVENT_NAMES.get(entry.get("MESSAGE_ID", ""), "")


def moment(entry):
    """Return when an entry was written, in seconds of CLOCK_MONOTONIC."""
    return int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6


class Journal:
    """Reads the journal of one host from a mark on."""

    def __init__(self, host):
        self._host = host
        self._since = 0.0
        self._history_since = 0.0

    def begin_history(self):
        """Let `history` begin here: what was told before is of another test."""
        self._history_since = time.time()

    def history(self):
        """Return the lines of what keyturnd has told since, whatever was marked meanwhile."""
        return self._host.run("journalctl", "--output=json", "--all", "--no-pager", "--quiet",
                              "--since=@%.6f" % self._history_since,
                              FROM_KEYTURND).stdout.splitlines()

    def mark(self):
        """Forget what has been written so far."""
        self._since = time.time()

    def read(self, *matches, everything=False):
        """Return the entries since the mark, as journalctl's arguments choose them."""
        # Not --after-cursor: with matches it leaves out the first entry after the cursor.
        since = [] if everything else ["--since=@%.6f" % self._since]
        text = self._host.run("journalctl", "--output=json", "--all", "--no-pager", "--quiet",
                              *since, *matches).stdout
        return [json.loads(line) for line in text.splitlines()]

    def events(self, name=None, **fields):
        """Return keyturnd's events since the mark, oldest first."""
        wanted = {key.upper(): value for key, value in fields.items()}
        if name:
            wanted["MESSAGE_ID"] = EVENT_IDS[name]
        found = self.read(FROM_KEYTURND,
                          *("%s=%s" % item for item in wanted.items()))
        return [entry for entry in found if event_name(entry)]

    def wait_for(self, name, seconds=20.0, count=1, **fields):
        """Wait for the count-th event of a kind, and return it."""
        def seen():
            events = self.events(name, **fields)
            return events[count - 1] if len(events) >= count else None
        return wait_until(seen, lambda: "the event %s; there were: %s" % (
            name, self.story()), seconds, 0.1)

    def story(self):
        """Return the names of all events since the mark."""
        return [event_name(entry) for entry in self.events()]
