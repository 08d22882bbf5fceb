"""One bucket with its objects, and what tests may make it do wrong."""

import hashlib
import threading
import time

from s3model.signature import Refusal

DEFAULTS = {
    "ignore_conditions": False,    # take every PUT, as some servers do
    "ignore_if_none_match": False,
    "bare_etags": False,           # compare If-Match with the ETag without quotes (Ceph 16)
    "missing_is_404": False,       # If-Match on an absent object: NoSuchKey (S3), not 412 (Ceph)
    "no_bucket": False,
    "read_only": False,            # AccessDenied for every PUT
    "clock_skew_seconds": 0.0,     # of the store's own clock
    "region": "",                  # refuse other regions
    "versioning": "",              # "Enabled", "Suspended"; "none" if the store has none
    "delay_seconds": 0.0,          # before each answer
    "seconds_between_writes": 0.0,  # of one key; a write that comes earlier is a 429 (R2: 1)
}
ACTIONS = ("status", "apply-status", "close", "apply-close", "hang", "apply-hang", "garble")


class Fault:
    """One rule about calls: which it is for, how often, and what happens to them."""

    def __init__(self, do, method="*", times=1, after=0, status=500, code="InternalError",
                 headers=None):
        if do not in ACTIONS:
            raise ValueError("`do` must be one of %s" % ", ".join(ACTIONS))
        self.do = do
        self.method = method
        self.left = times
        self.after = after
        self.status = status
        self.code = code
        self.headers = dict(headers or {})

    def claim(self, method):
        """Return whether this call is to fail, and count it if so."""
        if self.method not in ("*", method) or self.left <= 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.left -= 1
        return True


class Store:
    """The objects of one bucket, by key. Threads take `lock` around every call."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects = {}
        self.calls = []
        self._written = {}
        self.reset()

    def reset(self):
        """Put every knob back, and forget all faults."""
        self.faults = []
        self.__dict__.update(DEFAULTS)

    def set(self, values):
        """Set the named knobs."""
        unknown = set(values) - set(DEFAULTS)
        if unknown:
            raise ValueError("no knob is named %s" % ", ".join(sorted(unknown)))
        self.__dict__.update(values)

    def fault_for(self, method):
        """Return the first fault that claims this call, or None."""
        return next((fault for fault in self.faults if fault.claim(method)), None)

    @staticmethod
    def etag_of(data):
        """Return the ETag without quotes."""
        return hashlib.md5(data, usedforsecurity=False).hexdigest()

    def _names(self, condition, data):
        etag = self.etag_of(data)
        return condition == (etag if self.bare_etags else '"%s"' % etag)

    def get(self, key, if_none_match):
        """Return (status, data)."""
        if key not in self.objects:
            raise Refusal(404, "NoSuchKey")
        data = self.objects[key]
        if if_none_match.strip('"') == self.etag_of(data):
            return 304, data
        return 200, data

    def put(self, key, data, if_match, if_none_match):
        """Replace or create an object, if the conditions hold."""
        if self.read_only:
            raise Refusal(403, "AccessDenied")
        there = self.objects.get(key)
        if not self.ignore_conditions:
            if if_none_match and there is not None and not self.ignore_if_none_match:
                raise Refusal(412, "PreconditionFailed")
            if if_match and there is None and self.missing_is_404:
                raise Refusal(404, "NoSuchKey")
            if if_match and (there is None or not self._names(if_match, there)):
                raise Refusal(412, "PreconditionFailed")
        now = time.monotonic()
        if now - self._written.get(key, -1e9) < self.seconds_between_writes:
            raise Refusal(429, "TooManyRequests")
        self._written[key] = now
        self.objects[key] = data
        return 200, data

    def delete(self, key):
        """Remove an object, which need not exist."""
        self.objects.pop(key, None)
        return 204, b""
