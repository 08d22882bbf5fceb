"""Waiting for a condition, with a deadline."""

import time

# A deadline is what an idle machine would need. This many times as long ends a test that hangs;
# what has to be fast is asserted by the times in the journal.
PATIENCE = 4


class Overdue(AssertionError):
    """What was waited for did not come in time."""


def wait_until(condition, what, seconds=15.0, step=0.05):
    """Return the first true value of `condition()`; raise Overdue after so many seconds.

    `what` is a text, or a function that tells at the end how things stand.
    """
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise Overdue("waited %g s in vain for %s" % (seconds, text))
        time.sleep(step)
