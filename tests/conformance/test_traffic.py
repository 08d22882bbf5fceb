"""The load generator: its rate, its counts, and that every failure is the other side's."""

import json
import subprocess

import pytest
from harness import TRAFFIC, free_port


def traffic(address, tmp_path, *more):
    """Run the generator for a second, and return its status lines and its summary."""
    output = tmp_path / "lines"
    subprocess.run(
        [TRAFFIC, "--url", "http://%s/" % address, "--rate", "100", "--duration", "1.1s",
         "--output", output, *more], check=True, timeout=15)
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["type"] for line in lines] == ["status"] * (len(lines) - 1) + ["summary"]
    return lines[:-1], lines[-1]


def test_rate_and_counts(model, tmp_path):
    """At 100/s for 1.1 s the generator sends 110 requests, plus the slow ones."""
    status, summary = traffic(
        model.addresses["origin"], tmp_path, "--slow-rate", "10", "--slow-delay", "300ms")
    assert len(status) >= 1
    assert 108 <= summary["classes"]["fast"]["sent"] <= 111
    assert 10 <= summary["classes"]["slow"]["sent"] <= 12
    assert summary["ok"] == summary["sent"] and summary["in_flight"] == 0
    assert summary["failures"] == []
    assert summary["classes"]["slow"]["p50_ms"] >= 300 > summary["classes"]["fast"]["p50_ms"]


def test_failures_are_listed_with_their_times(model, tunnel, tmp_path):
    """Without a connector every request is a 530, listed once with its times."""
    _, summary = traffic(model.addresses["public"], tmp_path, "--host", tunnel.host)
    assert summary["ok"] == 0 and summary["failed_by"] == {"530": summary["sent"]}
    assert len(summary["failures"]) == summary["sent"]
    for item in summary["failures"]:
        assert summary["started_at_ms"] <= item["sent_at_ms"] <= item["failed_at_ms"]
        assert item["failed_at_ms"] <= summary["ended_at_ms"]
    assert model.control("GET", "/state")["counters"]["public_requests"] >= summary["sent"]


def test_nobody_listens(tmp_path):
    """Without a listener the generator says so and ends with 1."""
    with pytest.raises(subprocess.CalledProcessError) as error:
        traffic("127.0.0.1:%d" % free_port(), tmp_path)
    assert error.value.returncode == 1
