"""A small S3 client for tests: one signed request at a time, to the model or to a real server."""

import datetime
import hashlib
import http.client
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "sandbox" / "s3"))

from s3model.signature import signature_of  # noqa: E402

KEY_ID = "KEYTURNTEST"
SECRET = "secretsecretsecret"


class Answer:
    """The parts of an answer that a shared object depends on."""

    def __init__(self, response):
        self.status = response.status
        self.body = response.read()
        self.etag = (response.getheader("etag") or "").strip('"')
        found = re.search(rb"<Code>([A-Za-z0-9.]+)</Code>", self.body)
        self.code = found.group(1).decode() if found else ""

    def __repr__(self):
        return "%d %s %r" % (self.status, self.code, self.body[:200])


def send(server, method, path, body=b"", *, headers=None, query="", key_id=KEY_ID, secret=SECRET,
         minutes=0, region="auto", signed_body=None, accept="*/*"):
    """Send one request over plain HTTP; return the Answer."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    digest = hashlib.sha256(body if signed_body is None else signed_body).hexdigest()
    sent = {"host": server, "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-content-sha256": digest, **(headers or {})}
    names = sorted(sent)
    day = sent["x-amz-date"][:8]
    signature = signature_of(method, path, query, sent, names, digest, day, region, secret)
    sent["authorization"] = (
        "AWS4-HMAC-SHA256 Credential=%s/%s/%s/s3/aws4_request, SignedHeaders=%s, Signature=%s"
        % (key_id, day, region, ";".join(names), signature))
    sent["accept"] = accept
    connection = http.client.HTTPConnection(server, timeout=30)
    try:
        connection.request(method, path + ("?" + query if query else ""), body, sent)
        return Answer(connection.getresponse())
    finally:
        connection.close()


if __name__ == "__main__":
    answer = send(*sys.argv[1:4])
    print(answer)
    sys.exit(answer.status != 200)
