"""Waiting for a condition, with a deadline."""

import time


class Overdue(AssertionError):
    """What was waited for did not come in time."""


def wait_until(condition, what, seconds=15.0, step=0.05):
    """Return the first true value of `condition()`; raise Overdue after so many seconds.

    `what` is a text, or a function that tells at the end how things stand.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise Overdue("waited %g s in vain for %s" % (seconds, text))
        time.sleep(step)
