"""Wall-clock times in the forms that the API and the control side use."""

import time
from datetime import datetime, timezone
from email.utils import formatdate


def now():
    """Return the wall-clock time in seconds."""
    return time.time()


def api_time(seconds):
    """Return a time as the API prints it, or None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def http_date(seconds):
    """Return a time as the Date header carries it."""
    return formatdate(seconds, usegmt=True)
