"""What keyturn does stays below twice of what it does today. Counts, because times depend on the
machine. tests/bench measures more, and beside what others need.
"""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from bench import counts, many  # noqa: E402
from bench.machine import BenchHost  # noqa: E402

LIBRARY = pathlib.Path(__file__).resolve().parents[2].joinpath(
    "build", "release", "tests", "bench", "count_allocations.so")
# Twice of what was measured when this was written.
CALLS_OF_A_START = 820
CALLS_OF_A_LOOK = 560
CALLS_OF_A_ROTATION = 3_500
ALLOCATIONS_OF_A_ROTATION = 70_000
INSTRUCTIONS_OF_STATUS = 9_000_000
# Ten times the tunnels take at most a bit more than ten times the instructions.
LINEAR = 11.0


@pytest.fixture(scope="module", name="host")
def host_without_a_soak(request, tmp_path_factory):
    with BenchHost(tmp_path_factory.mktemp("host"), request.config.getoption("--build"),
                   time_scale=0.1) as host:
        yield host


def test_a_rotation_makes_no_more_calls_and_starts_no_process(host):
    calls, processes = counts.rotation(host)
    assert 0 < calls < CALLS_OF_A_ROTATION
    assert processes == 0


def test_a_rotation_takes_no_more_allocations(host):
    assert 0 < counts.allocations(host, LIBRARY) < ALLOCATIONS_OF_A_ROTATION


def test_a_start_makes_no_more_calls(host):
    assert 0 < counts.start(host) < CALLS_OF_A_START


def test_a_look_makes_no_more_calls(host):
    assert 0 < counts.look(host) < CALLS_OF_A_LOOK


def test_status_executes_no_more_instructions(host):
    assert 0 < counts.status_instructions(host) < INSTRUCTIONS_OF_STATUS


def test_the_cost_of_a_start_grows_with_the_tunnels_and_not_faster(host):
    few, lots = (many.instructions_of_start(host, count) for count in (50, 500))
    assert 1 < lots / few < LINEAR
