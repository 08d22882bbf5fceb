"""Where the connector takes its token from, and what it says and returns when it cannot start."""

import json
import re
import signal
import socket
import subprocess

import pytest
from harness import ACCOUNT, encode_token, new_secret, wait_until

NIL_TUNNEL = "00000000-0000-0000-0000-000000000000"
NOT_VALID = "Provided Tunnel token is not valid."
NEEDS_TUNNEL = '"cloudflared tunnel run" requires the ID or name of the tunnel to run'


def has_connector(tunnel, connector):
    """Return whether the edge lists this process for this tunnel."""
    return connector.connector_id() in tunnel.connectors()


def test_version(binary):
    """--version prints the version and leaves with status 0."""
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0
    assert re.fullmatch(r"cloudflared version \d{4}\.\d+\.\d+ \(built \S.*\)\n", done.stdout)


@pytest.mark.parametrize("token", [
    "garbage", encode_token([1, 2]), encode_token({"a": ACCOUNT, "t": "x", "s": "AAAA"}),
    encode_token(b'{"a":"xy"}').removesuffix("=="),
    encode_token(b'{"a":"???>>>"}').replace("+", "-").replace("/", "_"),
    encode_token({"s": "not base64!"}),
], ids=["garbage", "array", "bad-uuid", "no-padding", "url-safe", "bad-secret"])
def test_bad_token(spawn, tmp_path, token):
    """A token that cannot be decoded ends the program with 255, from the flag and from a file."""
    path = tmp_path / "bad"
    path.write_text(token)
    for source in (["--token", token], ["--token-file", path]):
        connector = spawn("tunnel", "run", *source)
        assert connector.wait_exit() == 255
        assert NOT_VALID in connector.log()


def test_token_flag_is_not_trimmed_but_the_file_is(spawn, run, tunnel, tmp_path):
    """A space behind --token makes it invalid; around a file's content it does not matter."""
    connector = spawn("tunnel", "run", "--token", tunnel.token + " ")
    assert connector.wait_exit() == 255
    assert NOT_VALID in connector.log()
    connector = run(tunnel, token=" \n" + tunnel.token + " \n\n").wait_ready()
    assert has_connector(tunnel, connector)


def test_missing_and_unreadable_token_file(spawn, tmp_path):
    """A token file that cannot be read ends the program with 255."""
    for path in (tmp_path / "missing", tmp_path):
        connector = spawn("tunnel", "run", "--token-file", path)
        assert connector.wait_exit() == 255
        assert "Failed to read token file:" in connector.log()


def test_empty_token_file(spawn, tmp_path):
    """An empty token file counts as none: without another source the program ends with 255."""
    path = tmp_path / "empty"
    path.write_text("\n")
    connector = spawn("tunnel", "run", "--token-file", path)
    assert connector.wait_exit() == 255
    assert NEEDS_TUNNEL in connector.log()


def test_empty_token_file_falls_through_to_old_credentials(spawn, tunnel, tmp_path):
    """An empty token file lets the credentials of config.yml run, without a word."""
    (tmp_path / "empty").write_text("")
    (tmp_path / "old.json").write_text(tunnel.credentials())
    config = tmp_path / "config.yml"
    config.write_text("tunnel: %s\ncredentials-file: %s\n" % (tunnel.id, tmp_path / "old.json"))
    connector = spawn("--config", config, "tunnel", "run", "--token-file", tmp_path / "empty")
    assert has_connector(tunnel, connector.wait_ready())


def test_bad_credentials_files(spawn, tunnel, tmp_path):
    """A credentials file that is missing or no JSON ends the program with 1."""
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    for path in (bad, tmp_path / "missing.json"):
        connector = spawn("tunnel", "run", "--credentials-file", path, tunnel.id)
        assert connector.wait_exit() == 1


def test_metrics_port_taken(spawn, tunnel):
    """A metrics address that is in use ends the program with 1."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = "127.0.0.1:%d" % other.getsockname()[1]
        connector = spawn("tunnel", "--metrics", address, "run", "--token", tunnel.token)
        assert connector.wait_exit() == 1
    assert "Error opening metrics server listener:" in connector.log()


def test_grace_period_limit(spawn, tunnel):
    """A grace period of more than three minutes ends the program with 1."""
    connector = spawn("tunnel", "--grace-period", "3m1s", "run", "--token", tunnel.token)
    assert connector.wait_exit() == 1
    assert "grace-period must be equal or less than 3m0s" in connector.log()


def test_tunnel_flags_stand_before_run(spawn, tunnel):
    """A flag of `tunnel` behind `run` is a usage error, which leaves with status 0."""
    connector = spawn("tunnel", "run", "--metrics", "127.0.0.1:0", "--token", tunnel.token)
    assert connector.wait_exit() == 0
    assert "Incorrect Usage: flag provided but not defined: -metrics" in connector.log()
    assert connector.received() == []


@pytest.mark.parametrize("shape", [
    "extra-key", "upper-case", "no-dashes", "empty-endpoint", "line-breaks"])
def test_lenient_token(spawn, tunnel, shape):
    """Tokens of these shapes are taken and connect."""
    value = {"a": ACCOUNT, "t": tunnel.id, "s": tunnel.secret}
    if shape == "extra-key":
        value["extra"] = {"x": 1}
    elif shape == "upper-case":
        value = {key.upper(): item for key, item in value.items()}
    elif shape == "no-dashes":
        value["t"] = tunnel.id.replace("-", "")
    elif shape == "empty-endpoint":
        value["e"] = ""
    token = encode_token(value)
    if shape == "line-breaks":
        token = "\n".join((token[:40], token[40:90], token[90:], ""))
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", "run", "--token", token)
    assert has_connector(tunnel, connector.wait_ready())


def test_empty_object_token_starts_and_is_refused(spawn):
    """The token of `{}` starts with the zero tunnel id, and the edge refuses it."""
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", "run", "--token", encode_token({}))
    assert connector.wait_logged("Starting tunnel tunnelID=") == NIL_TUNNEL
    wait_until(connector.refusals, "a refusal")
    assert connector.process.poll() is None
    assert connector.received() == []


@pytest.mark.parametrize("winner", [
    "flag-over-file", "environment-over-file", "config-over-file", "flag-over-environment",
    "environment-over-config", "file-over-credentials", "contents-over-credentials-file"])
def test_precedence(spawn, model, tunnel, tmp_path, winner):
    """Of two sources the stronger one decides which tunnel runs."""
    loser = model.new_tunnel()
    file, credentials = tmp_path / "loser", tmp_path / "loser.json"
    file.write_text(loser.token)
    credentials.write_text(loser.credentials())
    config = tmp_path / "config.yml"
    in_config = tunnel if winner.startswith("config") else loser
    config.write_text("token: %s\n" % in_config.token)
    words, environment = {
        "flag-over-file": (["--token-file", file, "--token", tunnel.token], {}),
        "environment-over-file": (["--token-file", file], {"TUNNEL_TOKEN": tunnel.token}),
        "config-over-file": (["--token-file", file], {}),
        "flag-over-environment": (["--token", tunnel.token], {"TUNNEL_TOKEN": loser.token}),
        "environment-over-config": ([], {"TUNNEL_TOKEN": tunnel.token}),
        "file-over-credentials": (
            ["--credentials-file", credentials, "--token-file", tmp_path / "winner", loser.id], {}),
        "contents-over-credentials-file": (
            ["--credentials-file", credentials, tunnel.id],
            {"TUNNEL_CRED_CONTENTS": tunnel.credentials()}),
    }[winner]
    (tmp_path / "winner").write_text(tunnel.token)
    level = ["--config", config] if "config" in winner else []
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", *level, "run", *words,
                      environment=environment).wait_ready()
    assert has_connector(tunnel, connector)
    assert loser.connectors() == []


def test_token_file_from_environment_and_config(spawn, tunnel, tmp_path):
    """The token file may be named by TUNNEL_TOKEN_FILE, or by config.yml in the home directory."""
    path = tmp_path / "token"
    path.write_text(tunnel.token)
    words = ("tunnel", "--metrics", "127.0.0.1:0", "run")
    connector = spawn(*words, environment={"TUNNEL_TOKEN_FILE": str(path)}).wait_ready()
    assert has_connector(tunnel, connector)
    home = tmp_path / "home"
    (home / ".cloudflared").mkdir(parents=True)
    (home / ".cloudflared" / "config.yml").write_text("# a comment\ntoken-file: '%s'\n" % path)
    connector = spawn(*words, environment={"HOME": str(home)}).wait_ready()
    assert has_connector(tunnel, connector)


def test_credentials_are_searched_by_tunnel_id(spawn, tunnel, tmp_path):
    """ID.json is found in the home directory; its TunnelID may be missing."""
    home = tmp_path / "home"
    (home / ".cloudflared").mkdir(parents=True)
    text = tunnel.credentials(TunnelID=None)
    (home / ".cloudflared" / (tunnel.id + ".json")).write_text(text)
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", "run", tunnel.id,
                      environment={"HOME": str(home)}).wait_ready()
    assert has_connector(tunnel, connector)


def test_protocol_depends_on_how_the_token_is_given(spawn, run, tunnel):
    """--token starts with QUIC; a token file, where the DNS lookup fails, with HTTP/2."""
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", "run", "--token", tunnel.token)
    assert connector.wait_logged("Initial protocol") == "quic"
    connector = run(tunnel, protocol="auto")
    assert connector.wait_logged("Initial protocol") == "http2"


def test_secrets_do_not_show(spawn, tunnel):
    """Neither the log nor the diagnostics nor pprof show the token."""
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", "run", "--token", tunnel.token)
    connector.wait_ready()
    assert "token:*****" in connector.log()
    status, _, flags = connector.get("/diag/configuration")
    assert status == 200 and json.loads(flags)
    assert connector.get("/debug/pprof/cmdline")[0] == 403
    for text in (connector.log(), flags.decode()):
        assert tunnel.token not in text and tunnel.secret not in text


def test_the_token_is_read_once_and_sighup_kills(run, tunnel, tmp_path):
    """A new token in the file changes nothing in a running process; SIGHUP ends it."""
    connector = run(tunnel, "--ha-connections", "1").wait_ready()
    (tmp_path / ("token-" + tunnel.id)).write_text("garbage")
    identity = connector.ready()
    assert identity[0] == 200
    connector.send(signal.SIGHUP)
    assert connector.wait_exit() == -signal.SIGHUP


def test_wrong_secret_in_the_right_form_is_refused(spawn, tunnel):
    """A well-formed token with another secret starts, is refused, and never becomes ready."""
    token = encode_token({"a": ACCOUNT, "t": tunnel.id, "s": new_secret()})
    connector = spawn("tunnel", "--metrics", "127.0.0.1:0", "run", "--token", token)
    wait_until(connector.refusals, "a refusal")
    assert connector.received() == [] and tunnel.connectors() == []
