"""Tunnel secrets and tokens: encoding, checking, and a fingerprint that may be shown."""

import base64
import binascii
import hashlib
import json

MIN_SECRET_CHARACTERS = 32


def decode_secret(text):
    """Return the bytes of a base64 secret, or raise ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64: %s" % error) from None


def check_secret(text):
    """Raise ValueError where the API would refuse this secret; it counts encoded characters."""
    decode_secret(text)
    if len(text) < MIN_SECRET_CHARACTERS:
        raise ValueError("too short")


def same_secret(one, other):
    """Return whether two base64 texts hold the same bytes."""
    try:
        return decode_secret(one) == decode_secret(other)
    except ValueError:
        return False


def make_token(account, tunnel, secret, endpoint=""):
    """Return the token string that a connector is started with."""
    value = {"a": account, "t": tunnel, "s": secret}
    if endpoint:
        value["e"] = endpoint
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def fingerprint(tunnel, secret):
    """Return 16 hex digits that identify a secret without showing it."""
    try:
        data = decode_secret(secret)
    except ValueError:
        data = b"undecodable:" + secret.encode()
    return hashlib.sha256(b"keyturn" + tunnel.encode() + data).hexdigest()[:16]
