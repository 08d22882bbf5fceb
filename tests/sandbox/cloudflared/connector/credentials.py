"""Which credentials the connector runs with: the token, or a credentials file, as lenient as Go."""

import binascii
import json
import os

from connector.configfile import expand, search_directories

NIL_UUID = "00000000-0000-0000-0000-000000000000"
ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


class StartError(Exception):
    """The program must end before it connects, with this text and this exit status."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


class Credentials:
    """What a connector shows the edge: account, tunnel and secret."""

    __slots__ = ("account", "tunnel", "secret", "endpoint")

    def __init__(self, account, tunnel, secret, endpoint):
        self.account = account
        self.tunnel = tunnel
        self.secret = secret
        self.endpoint = endpoint


def usage_error(text):
    """Return the error of a wrong command line: status 255 and a hint."""
    return StartError(text + "\nSee 'cloudflared tunnel run --help'.", 255)


def decode_base64(text):
    """Decode padded standard base64; line breaks inside are allowed, as in Go."""
    data = text.encode().replace(b"\n", b"").replace(b"\r", b"")
    if len(data) % 4 or not ALPHABET.issuperset(data) or b"=" in data.rstrip(b"="):
        raise ValueError("illegal base64 data")
    if len(data) - len(data.rstrip(b"=")) > 2:
        raise ValueError("illegal base64 data")
    return binascii.a2b_base64(data)


def parse_uuid(text):
    """Return a UUID in its usual form; dashes, braces and a urn: prefix may be missing or there."""
    digits = text.lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    if len(digits) != 32 or not set(digits) <= set("0123456789abcdef"):
        raise ValueError("invalid UUID")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _from_json(text, names):
    """Build Credentials from a JSON object whose keys match without regard to case."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    fields = {key.lower(): item for key, item in value.items() if item is not None}
    defaults = ("", NIL_UUID, "", "")
    found = [fields.get(name.lower(), other) for name, other in zip(names, defaults)]
    if not all(isinstance(item, str) for item in found):
        raise ValueError("not a string")
    account, tunnel, secret, endpoint = found
    decode_base64(secret)
    return Credentials(account, parse_uuid(tunnel), secret, endpoint)


def parse_token(text):
    """Return the Credentials in a tunnel token, or raise ValueError."""
    return _from_json(decode_base64(text), ("a", "t", "s", "e"))


def find_credentials(options, file_values, environment):
    """Return the Credentials to run with, in the real program's order of precedence."""
    token = options.get("token")
    if not token and options.get("token-file"):
        token = _read_token_file(options.get("token-file"))
    if token:
        try:
            return parse_token(token)
        except (ValueError, RecursionError):
            raise usage_error("Provided Tunnel token is not valid.") from None
    reference = options.arguments[0] if options.arguments else file_values.get("tunnel", "")
    if not reference:
        raise usage_error(
            '"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last '
            "command line argument or in the configuration file.")
    try:
        tunnel = parse_uuid(reference)
    except ValueError:
        raise StartError("error parsing tunnel ID: Error locating origin cert", 1) from None
    found = _named_tunnel(options, tunnel, environment)
    found.tunnel = tunnel
    return found


def _read_token_file(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().strip()
    except OSError as error:
        text = "Failed to read token file: open %s: %s" % (path, error.strerror.lower())
        raise usage_error(text) from None


def _named_tunnel(options, tunnel, environment):
    text, path = options.get("credentials-contents"), "TUNNEL_CRED_CONTENTS"
    if not text:
        path = _credentials_path(options, tunnel, environment)
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                text = file.read()
        except OSError as error:
            reason = "couldn't read tunnel credentials from %s: %s" % (path, error.strerror)
            raise StartError(reason, 1) from None
    try:
        return _from_json(text, ("AccountTag", "TunnelID", "TunnelSecret", "Endpoint"))
    except (ValueError, RecursionError):
        raise StartError("Invalid JSON when parsing tunnel credentials file", 1) from None


def _credentials_path(options, tunnel, environment):
    given = options.get("credentials-file")
    if given:
        path = expand(given, environment) or given
        if os.path.isfile(path):
            return path
        text = "Tunnel credentials file '%s' doesn't exist or is not a file" % path
        raise StartError(text, 1)
    for directory in search_directories(environment):
        path = os.path.join(directory, tunnel + ".json")
        if os.path.isfile(path):
            return path
    raise StartError("tunnel credentials file not found", 1)
