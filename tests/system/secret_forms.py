"""A secret in every form in which it could leak, and the search for it on a host."""

import base64
import json
import pathlib
import urllib.parse

SCAN = pathlib.Path(__file__).resolve().with_name("secret_scan.py")


def forms_of(name, token):
    """Return the forms of a tunnel's token: {what it is: bytes}."""
    text = json.loads(base64.b64decode(token))["s"]
    raw = base64.b64decode(text)
    # Without padding, so that a form that leaves it out is found as well.
    unpadded = text.rstrip("=")
    forms = {
        "token": token.rstrip("=").encode(),
        "token, url-encoded": urllib.parse.quote(token, safe="").encode(),
        "secret": unpadded.encode(),
        "secret, raw": raw,
        "secret, hex": raw.hex().encode(),
        "secret, HEX": raw.hex().upper().encode(),
        "secret, url-encoded": urllib.parse.quote(text, safe="").encode(),
        "secret, url alphabet": base64.urlsafe_b64encode(raw).rstrip(b"="),
    }
    return {"%s %s" % (name, form): value for form, value in forms.items()}


def scan(scenario, secrets):
    """Look for {name: bytes} everywhere on the scenario's host."""
    asked = {name: base64.b64encode(value).decode() for name, value in secrets.items()}
    return json.loads(scenario.host.run(SCAN, feed=json.dumps(asked)).stdout)
