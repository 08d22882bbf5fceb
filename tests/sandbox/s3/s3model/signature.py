"""Checks Signature Version 4, as the documentation of S3 describes it."""

import datetime
import hashlib
import hmac
import re

SKEW_MAX = 15 * 60
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")


class Refusal(Exception):
    """An answer that is an error: status and the Code element."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status = status
        self.code = code


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature_of(method, path, query, headers, names, content_hash, day, region, secret):
    """Return the hexadecimal signature of a request; `headers` has lower-case names."""
    lines = ["%s:%s" % (name, " ".join(headers.get(name, "").split())) for name in names]
    canonical = "\n".join([method, path, query, *lines, "", ";".join(names), content_hash])
    scope = "%s/%s/s3/aws4_request" % (day, region)
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = _hmac(key, part)
    return _hmac(key, to_sign).hex()


def check(method, path, query, headers, body, key_id, secret, region, now):
    """Raise a Refusal unless the request is signed with this key, for now and for this region."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        raise Refusal(403, "AccessDenied")
    user, day, used_region, names, signature = found.groups()
    names = names.split(";")
    needed = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if names != sorted(names) or not needed <= set(names):
        raise Refusal(403, "AccessDenied")
    if user != key_id:
        raise Refusal(403, "InvalidAccessKeyId")
    try:
        sent = datetime.datetime.strptime(headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ")
    except ValueError:
        raise Refusal(403, "AccessDenied") from None
    if abs(sent.replace(tzinfo=datetime.timezone.utc).timestamp() - now) > SKEW_MAX:
        raise Refusal(403, "RequestTimeTooSkewed")
    if region and used_region != region:
        raise Refusal(400, "AuthorizationHeaderMalformed")
    content_hash = headers.get("x-amz-content-sha256", "")
    expected = signature_of(method, path, query, headers, names, content_hash, day, used_region,
                            secret)
    if not hmac.compare_digest(signature, expected):
        raise Refusal(403, "SignatureDoesNotMatch")
    if content_hash != hashlib.sha256(body).hexdigest():
        raise Refusal(400, "XAmzContentSHA256Mismatch")
