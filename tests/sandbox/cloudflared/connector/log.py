"""Log lines on standard error: time, level, message, then fields, as the real program prints."""

import sys
import time

LEVELS = {"debug": 0, "info": 1, "warn": 2, "error": 3, "fatal": 4}
SHORT = {"debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR", "fatal": "FTL"}


class Log:
    """Writes lines of one level and above."""

    def __init__(self, level="info"):
        self._least = LEVELS.get(level, 1)

    def write(self, level, message, **fields):
        """Write one line; the fields follow in the order of their names."""
        if LEVELS[level] < self._least:
            return
        words = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), SHORT[level], message]
        words += ["%s=%s" % (name, _quoted(fields[name])) for name in sorted(fields)]
        sys.stderr.write(" ".join(words) + "\n")
        sys.stderr.flush()

    def info(self, message, **fields):
        """Write a line of level info."""
        self.write("info", message, **fields)

    def error(self, message, **fields):
        """Write a line of level error."""
        self.write("error", message, **fields)


def _quoted(value):
    text = str(value)
    return '"%s"' % text.replace('"', '\\"') if " " in text or '"' in text else text
