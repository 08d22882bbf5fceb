"""The model of an S3 store answers as a real one does: Ceph 16, with --s3 HOST:PORT."""

import concurrent.futures
import http.client
import json
import subprocess
import uuid

import harness
import pytest
import s3_client

MODEL = harness.SANDBOX / "s3" / "sandbox-s3"
WRONG = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.fixture(scope="module")
def server(request):
    """Give the address of a store with the bucket `fleet` and with bare ETags, as Ceph has."""
    real = request.config.getoption("--s3")
    if real:
        yield real
        return
    with subprocess.Popen([MODEL], stdout=subprocess.PIPE, text=True) as process:
        addresses = json.loads(process.stdout.readline())
        control = http.client.HTTPConnection(addresses["control"], timeout=30)
        control.request("POST", "/knobs", json.dumps({"bare_etags": True}))
        assert control.getresponse().status == 200
        yield addresses["s3"]
        process.terminate()


@pytest.fixture
def ask(server):
    """Give a function that sends a request about one object of this test."""
    path = "/fleet/keyturn/v1/" + uuid.uuid4().hex

    def send(method, body=b"", **more):
        return s3_client.send(server, method, more.pop("path", path), body, **more)
    return send


def condition(name, value):
    """Return the argument of `ask` for one condition."""
    return {"headers": {name: value}}


def expect(answer, status, code=""):
    """Check status and Code element."""
    assert (answer.status, answer.code) == (status, code), answer


def test_an_object_that_does_not_exist(ask):
    """A read is a 404 of the key; a replacement is refused."""
    expect(ask("GET"), 404, "NoSuchKey")
    expect(ask("GET", **condition("if-none-match", '"%s"' % WRONG)), 404, "NoSuchKey")
    expect(ask("PUT", b"x", **condition("if-match", WRONG)), 412, "PreconditionFailed")
    assert ask("DELETE").status == 204


def test_a_bucket_that_does_not_exist(ask):
    """Everything is a 404 of the bucket."""
    nowhere = "/no-such-bucket/x"
    expect(ask("GET", path=nowhere), 404, "NoSuchBucket")
    expect(ask("PUT", b"x", path=nowhere, **condition("if-none-match", "*")), 404, "NoSuchBucket")


def test_created_once(ask):
    """If-None-Match: * creates, and does not replace."""
    created = ask("PUT", b"one", **condition("if-none-match", "*"))
    expect(created, 200)
    expect(ask("PUT", b"two", **condition("if-none-match", "*")), 412, "PreconditionFailed")
    read = ask("GET")
    expect(read, 200)
    assert (read.body, read.etag) == (b"one", created.etag)


def test_replaced_only_from_the_present_version(ask):
    """If-Match takes the present ETag, bare, and no other."""
    first = ask("PUT", b"one", **condition("if-none-match", "*")).etag
    expect(ask("PUT", b"no", **condition("if-match", WRONG)), 412, "PreconditionFailed")
    expect(ask("PUT", b"no", **condition("if-match", '"%s"' % first)), 412, "PreconditionFailed")
    second = ask("PUT", b"two", **condition("if-match", first))
    expect(second, 200)
    assert second.etag not in ("", first)
    expect(ask("PUT", b"no", **condition("if-match", first)), 412, "PreconditionFailed")
    assert ask("GET").body == b"two"


@pytest.mark.parametrize("form", ['"%s"', "%s"])
def test_a_poll_transfers_nothing_if_nothing_has_changed(ask, form):
    """If-None-Match of a read takes the ETag in both forms."""
    first = ask("PUT", b"one", **condition("if-none-match", "*")).etag
    unchanged = ask("GET", **condition("if-none-match", form % first))
    assert (unchanged.status, unchanged.body) == (304, b"")
    expect(ask("GET", **condition("if-none-match", form % WRONG)), 200)


def test_the_same_text_has_the_same_etag(ask):
    """An ETag names a content: keyturn's texts differ at each write."""
    first = ask("PUT", b"one", **condition("if-none-match", "*")).etag
    second = ask("PUT", b"two", **condition("if-match", first)).etag
    assert ask("PUT", b"one", **condition("if-match", second)).etag == first


def test_deleted_and_created_again(ask):
    """A deleted object is absent, and can be created."""
    ask("PUT", b"one", **condition("if-none-match", "*"))
    assert ask("DELETE").status == 204
    expect(ask("GET"), 404, "NoSuchKey")
    expect(ask("PUT", b"two", **condition("if-none-match", "*")), 200)


def test_only_the_right_signature_is_accepted(ask):
    """Key, secret, clock and body have to be right. A region need not be, with Ceph."""
    expect(ask("GET", secret="wrong"), 403, "SignatureDoesNotMatch")
    expect(ask("GET", key_id="ANOTHERKEY"), 403, "InvalidAccessKeyId")
    expect(ask("GET", minutes=30), 403, "RequestTimeTooSkewed")
    expect(ask("GET", minutes=-30), 403, "RequestTimeTooSkewed")
    expect(ask("PUT", b"x", signed_body=b"y"), 400, "XAmzContentSHA256Mismatch")
    expect(ask("GET", minutes=5), 404, "NoSuchKey")
    expect(ask("GET", region="eu-west-1"), 404, "NoSuchKey")


def test_errors_are_json_for_a_client_that_accepts_json(ask):
    """Ceph does so; the Code element is not there then."""
    answer = ask("GET", accept="application/json")
    assert (answer.status, answer.code) == (404, "")
    assert json.loads(answer.body)["Code"] == "NoSuchKey"


def test_versioning_is_off(ask):
    """A new bucket keeps no versions."""
    answer = ask("GET", path="/fleet", query="versioning=")
    assert answer.status == 200 and b"Enabled" not in answer.body, answer


def test_of_many_who_create_one_wins(ask):
    """Six at once, ten times."""
    for number in range(10):
        path = "/fleet/race/%s-%d" % (uuid.uuid4().hex, number)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            wins = list(pool.map(lambda who, path=path: ask(
                "PUT", b"%d" % who, path=path, **condition("if-none-match", "*")).status, range(6)))
        assert wins.count(200) == 1, wins
