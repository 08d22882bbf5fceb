"""The random, doubling waits between two attempts."""

import os


def random_fraction():
    """Return a random number in [0, 1)."""
    return int.from_bytes(os.urandom(6), "big") / float(1 << 48)


class Backoff:
    """Waits of [0, base * 2^n) seconds; n grows with each wait up to `retries`."""

    def __init__(self, base, retries, now):
        self._base = base
        self._most = retries
        self._now = now
        self._retries = 0
        self._reset_at = None

    def limit(self):
        """Return the next wait's upper bound as the log states it."""
        if self._reset_at is not None and self._now() > self._reset_at:
            return self._base
        return self._base * 2 ** (self._retries + 1)

    def next_wait(self):
        """Count one more attempt and return how long to wait for it."""
        if self._reset_at is not None and self._now() > self._reset_at:
            self.reset()
        self._retries = min(self._retries + 1, self._most)
        return self._base * 2 ** self._retries * random_fraction()

    def reset(self):
        """Begin with short waits again."""
        self._retries = 0
        self._reset_at = None

    def reset_later(self):
        """Begin with short waits again once the present success has lasted for a while."""
        self._reset_at = self._now() + self._base * 2 ** (self._retries + 2) * random_fraction()
