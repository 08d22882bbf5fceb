"""The model of the API: shapes, credentials, errors, rate limit, lags and faults."""

import email.utils
import http.client
import json
import ssl
import time

import harness
import pytest
from harness import ACCOUNT, WRITE_TOKEN, encode_token, new_secret, wait_until

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def codes(answer):
    """Return the codes of an error answer."""
    assert answer["success"] is False and answer["result"] is None
    return [item["code"] for item in answer["errors"]]


def fault(model, **rule):
    """Add a fault and return its description."""
    return model.control("POST", "/faults", rule)


def test_starts_fast(model):
    """All listeners are open after less than half a second of work, on a busy machine, too."""
    assert 0 < model.start_cpu_seconds < 0.5


def test_tunnel_object_and_list(model, tunnel):
    """GET tunnel and the list give the same object, without secret or token."""
    status, answer, headers = model.api("GET", tunnel.path)
    assert status == 200 and answer["success"] is True and answer["errors"] == []
    found = answer["result"]
    assert found["id"] == tunnel.id and found["account_tag"] == ACCOUNT
    assert found["status"] == "inactive" and found["deleted_at"] is None
    assert found["connections"] == [] and "token" not in found and "tunnel_secret" not in found
    assert headers["content-type"] == "application/json"
    status, answer, _ = model.api("GET", "/accounts/%s/cfd_tunnel?uuid=%s" % (ACCOUNT, tunnel.id))
    assert answer["result"] == [found] and answer["result_info"]["total_count"] == 1
    status, answer, _ = model.api("GET", "/accounts/%s/cfd_tunnel?per_page=1" % ACCOUNT)
    assert len(answer["result"]) == 1 and answer["result_info"]["per_page"] == 1


def test_patch_and_token(model, tunnel):
    """PATCH changes the secret alone; its answer's token, GET token and our own encoding agree."""
    before = model.api("GET", tunnel.path)[1]["result"]["name"]
    secret = new_secret()
    status, answer, _ = model.api("PATCH", tunnel.path, {"tunnel_secret": secret})
    assert status == 200 and answer["result"]["name"] == before
    got = model.api("GET", tunnel.path + "/token")[1]["result"]
    assert got == answer["result"]["token"]
    assert json.loads(harness.base64.b64decode(got)) == {
        "a": ACCOUNT, "t": tunnel.id, "s": secret}
    model.control("POST", "/knobs", {"patch_returns_token": False})
    status, answer, _ = model.api("PATCH", tunnel.path, {"name": "renamed " + tunnel.id})
    assert "token" not in answer["result"] and answer["result"]["name"] == "renamed " + tunnel.id
    assert model.api("GET", tunnel.path + "/token")[1]["result"] == got


@pytest.mark.parametrize("body", [
    b"", b"no json", b"[]", b'{"tunnel_secret": 5}', b'{"tunnel_secret": "short"}',
    b'{"tunnel_secret": "%s"}' % (b"!" * 44)])
def test_patch_refuses_nonsense(model, tunnel, body):
    """A body that makes no sense is 400 and changes nothing."""
    status, answer, _ = model.api("PATCH", tunnel.path, body)
    assert status == 400 and codes(answer)
    assert tunnel.state()["fingerprints"][1:] == []


def test_read_credential(model, tunnel):
    """A read credential may look, but gets 403 with 10000 on every write and on GET token."""
    for path in ("", "/connections"):
        assert model.api("GET", tunnel.path + path, token=harness.READ_TOKEN)[0] == 200
    for method, path in (("GET", "/token"), ("PATCH", ""), ("DELETE", "/connections")):
        status, answer, _ = model.api(
            method, tunnel.path + path, {"name": "x"} if method == "PATCH" else None,
            token=harness.READ_TOKEN)
        assert status == 403 and codes(answer) == [10000]
    assert tunnel.state()["name"] != "x"


def test_other_credentials(model, tunnel):
    """No, malformed, unknown and foreign credentials fail in their own ways."""
    for token, headers, status, code in (
            (None, {}, 400, 9106), (None, {"Authorization": "Basic x"}, 400, 6003),
            (tunnel.token, {}, 400, 6003), ("cfut_unknown-0000000000000000000", {}, 403, 9109),
            (harness.ELSEWHERE_TOKEN, {}, 403, 10000)):
        got, answer, _ = model.api("GET", tunnel.path, token=token, headers=headers)
        assert (got, codes(answer)) == (status, [code])
    assert model.api("GET", tunnel.path, token=tunnel.token)[1]["errors"][0]["error_chain"]


def test_verify(model):
    """A user's token verifies at /user only, an account's at its account only."""
    account_path = "/accounts/%s/tokens/verify" % ACCOUNT
    for token, good, bad in (
            (WRITE_TOKEN, "/user/tokens/verify", account_path),
            (harness.ACCOUNT_TOKEN, account_path, "/user/tokens/verify")):
        status, answer, _ = model.api("GET", good, token=token)
        assert status == 200 and answer["result"]["status"] == "active"
        assert answer["messages"][0]["code"] == 10000 and answer["messages"][0]["type"] is None
        status, answer, _ = model.api("GET", bad, token=token)
        assert status == 401 and codes(answer) == [1000]


def test_what_does_not_exist(model, tunnel):
    """Unknown accounts, tunnels, connectors and paths are 404, a wrong method is 405."""
    unknown = "/accounts/%s/cfd_tunnel/%s" % (ACCOUNT, UNKNOWN)
    for path in (unknown, unknown + "/token", unknown + "/connections", "/nowhere",
                 tunnel.path + "/connectors/" + UNKNOWN, tunnel.path.replace(ACCOUNT, "f" * 32)):
        status, answer, _ = model.api("GET", path)
        assert (status, codes(answer)) == (404, [7003, 7000])
    assert model.api("PUT", tunnel.path, {})[0] == 405


def test_deleted_tunnel(model, tunnel):
    """A deleted tunnel still answers GET, with deleted_at, and refuses the rest."""
    model.control("POST", "/tunnels", {"id": tunnel.id, "deleted": True})
    assert model.api("GET", tunnel.path)[1]["result"]["deleted_at"] is not None
    assert model.api("GET", tunnel.path + "/token")[0] == 404
    assert model.api("PATCH", tunnel.path, {"tunnel_secret": new_secret()})[0] == 404


def test_keep_alive_and_headers(model, tunnel):
    """One connection carries many calls; every answer has Date, cf-ray and the budget."""
    connection = model.api_connection()
    left = []
    for _ in range(3):
        status, _, headers = model.call(connection, "GET", tunnel.path)
        assert status == 200 and headers["cf-ray"]
        date = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        assert abs(date - time.time()) < 3
        assert headers["ratelimit-policy"] == '"default";q=1200;w=300'
        left.append(int(headers["ratelimit"].split("r=")[1].split(";")[0]))
        assert "retry-after" not in headers
    connection.close()
    assert left == [left[0], left[0] - 1, left[0] - 2]
    model.control("POST", "/knobs", {"clock_skew_seconds": 600})
    headers = model.api("GET", tunnel.path)[2]
    date = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
    assert 590 < date - time.time() < 610


def test_rate_limit(model, tunnel):
    """Beyond the quota every call is 429 with retry-after, until the window is over."""
    token = harness.ELSEWHERE_TOKEN
    model.control("POST", "/knobs", {"rate_quota": 3, "rate_window_seconds": 1.2})
    wait_until(lambda: model.api("GET", tunnel.path, token=token)[0] == 429, "the limit")
    status, answer, headers = model.api("GET", tunnel.path, token=token)
    assert status == 429 and codes(answer) == [971] and 1 <= int(headers["retry-after"]) <= 2
    model.control("DELETE", "/limits")
    statuses = [model.api("GET", tunnel.path, token=token)[0] for _ in range(4)]
    assert statuses == [403, 403, 403, 429]
    wait_until(lambda: model.api("GET", tunnel.path, token=token)[0] == 403, "the window's end", 3)


def test_connections_list_and_its_lag(run, model, tunnel):
    """The list shows connectors with their connections, and may be made to lag behind."""
    model.control("POST", "/knobs", {"connections_lag_seconds": 0.8, "origin_ip": "192.0.2.7"})
    connector = run(tunnel, "--ha-connections", "1").wait_ready()
    assert model.api("GET", tunnel.path + "/connections")[1]["result"] == []
    listed = wait_until(lambda: model.api("GET", tunnel.path + "/connections")[1]["result"],
                        "the list", 3)
    assert listed[0]["id"] == connector.connector_id()
    assert {"arch", "version", "features", "run_at", "config_version"} <= set(listed[0])
    conn = listed[0]["conns"][0]
    assert conn["id"] == conn["uuid"] and conn["client_id"] == listed[0]["id"]
    assert conn["origin_ip"] == "192.0.2.7" and conn["is_pending_reconnect"] is False
    assert model.api("GET", tunnel.path)[1]["result"]["status"] == "degraded"


def test_stale_token(model, tunnel):
    """GET token may go on giving the old token for a while."""
    model.control("POST", "/knobs", {"stale_token_seconds": 0.7})
    token = tunnel.rotate()
    assert model.api("GET", tunnel.path + "/token")[1]["result"] == encode_token_of(tunnel)
    wait_until(lambda: json_of(model.api("GET", tunnel.path + "/token")[1]["result"])
               == json_of(token), "the new token", 3)


def encode_token_of(tunnel):
    """Return the tunnel's first token exactly as the API writes it."""
    value = {"a": ACCOUNT, "t": tunnel.id, "s": tunnel.secret}
    return encode_token(json.dumps(value, separators=(",", ":")).encode())


def json_of(token):
    """Return the JSON value in a token."""
    return json.loads(harness.base64.b64decode(token))


def test_propagation_lag(run, model, tunnel):
    """For a while after a PATCH the edge refuses the new secret and takes the old one."""
    model.control("POST", "/knobs", {"propagation_lag_seconds": 1.0})
    token = tunnel.rotate()
    old = run(tunnel, "--ha-connections", "1")
    new = run(tunnel, "--retries", "0", token=token)
    old.wait_ready()
    wait_until(new.refusals, "the refusal of the new token")
    new.wait_ready(5)


def test_faults_by_count_and_pattern(model, tunnel):
    """A fault hits the calls it names, as often as it says, and then no more."""
    rule = fault(model, do="status", status=503, method="GET", path="*/token", times=2, after=1)
    got = [model.api("GET", tunnel.path + "/token")[0] for _ in range(4)]
    assert got == [200, 503, 503, 200]
    assert model.api("GET", tunnel.path)[0] == 200
    hits = model.control("GET", "/knobs")["faults"]
    assert [(item["id"], item["hits"]) for item in hits] == [(rule["id"], 2)]


def test_faults_that_apply(model, tunnel):
    """apply-close and apply-status carry the PATCH out although the client hears otherwise."""
    marks = 1
    for rule in ({"do": "apply-close"}, {"do": "apply-status", "status": 500}):
        fault(model, method="PATCH", times=1, **rule)
        body = {"tunnel_secret": new_secret()}
        if rule["do"] == "apply-close":
            with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
                model.api("PATCH", tunnel.path, body)
        else:
            assert model.api("PATCH", tunnel.path, body)[0] == 500
        marks += 1
        assert len(tunnel.state()["fingerprints"]) == marks
    fault(model, method="PATCH", times=1, do="close")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
        model.api("PATCH", tunnel.path, {"tunnel_secret": new_secret()})
    assert len(tunnel.state()["fingerprints"]) == marks


def test_other_faults(model, tunnel):
    """HTML, an answer cut short, a delay, a hang, and a status with body and headers."""
    fault(model, do="html", status=403, times=1)
    status, text, headers = model.api("GET", tunnel.path)
    assert status == 403 and text.startswith(b"<!DOCTYPE html>")
    assert headers["content-type"].startswith("text/html")
    fault(model, do="truncate", times=1)
    with pytest.raises((http.client.IncompleteRead, ConnectionError, ssl.SSLError)):
        model.api("GET", tunnel.path)
    fault(model, do="pass", delay=0.4, times=1)
    started = time.monotonic()
    assert model.api("GET", tunnel.path)[0] == 200
    assert time.monotonic() - started >= 0.4
    fault(model, do="hang", times=1)
    with pytest.raises(TimeoutError):
        model.api("GET", tunnel.path, timeout=0.4)
    fault(model, do="status", status=429, headers={"retry-after": "7"}, body={"code": 971}, times=1)
    status, answer, headers = model.api("GET", tunnel.path)
    assert (status, answer, headers["retry-after"]) == (429, {"code": 971}, "7")


def test_wrong_knobs_change_nothing(model):
    """An unknown knob or a wrong type is refused as a whole."""
    before = model.control("GET", "/knobs")
    for body in ({"nonsense": 1}, {"stale_token_seconds": 5, "origin_ip": True},
                 {"faults": [{"do": "explode"}]}):
        with pytest.raises(AssertionError):
            model.control("POST", "/knobs", body)
    assert model.control("GET", "/knobs") == before


def test_the_log_of_calls_has_no_secret(model, tunnel):
    """/state lists the calls with their fields, and shows no secret, token or credential."""
    first = model.control("GET", "/state")["counters"]["api_calls"]
    secret = new_secret()
    model.api("PATCH", tunnel.path, {"tunnel_secret": secret})
    token = model.api("GET", tunnel.path + "/token")[1]["result"]
    state = model.control("GET", "/state?calls_since=%d" % first)
    assert [(item["method"], item["status"]) for item in state["calls"]] == [
        ("PATCH", 200), ("GET", 200)]
    assert state["calls"][0]["fields"] == ["tunnel_secret"]
    assert state["calls"][0]["credential"] == "write"
    assert state["calls"][0]["fingerprint"] == tunnel.state()["fingerprint"]
    text = json.dumps(state) + json.dumps(model.control("GET", "/events"))
    for hidden in (secret, tunnel.secret, token, WRITE_TOKEN):
        assert hidden not in text
    assert model.control("GET", "/secret/" + tunnel.id)["secret"] == secret


@pytest.mark.parametrize("name", ["expired", "wrong-host"])
def test_bad_certificates_are_bad(model, name):
    """The certificates for negative tests do not verify for the API's names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        model.certificates / (name + ".pem"), model.certificates / (name + ".key"))
    client = ssl.create_default_context(cafile=model.certificates / "ca.pem")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    back, forth = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(incoming, outgoing, server_hostname="api.cloudflare.test")
    there = context.wrap_bio(back, forth, server_side=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        for _ in range(4):
            for side, source, sink in ((here, outgoing, back), (there, forth, incoming)):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                sink.write(source.read())
