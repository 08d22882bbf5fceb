"""Fixtures: one model for the whole run; tunnels, connectors and traffic for each test."""

import pathlib
import signal

import harness
import pytest


# A run under nohup hands SIGHUP on as ignored, and then no connector would die of it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser):
    """Let the caller put another connector in the stand-in's place."""
    parser.addoption("--cloudflared", default=str(harness.STAND_IN), metavar="PATH",
                     help="the connector to check (default: the stand-in)")
    parser.addoption("--s3", default="", metavar="HOST:PORT",
                     help="the S3 store to check (default: the model)")


@pytest.fixture(scope="session")
def shared_model(tmp_path_factory):
    """Run the model as long as there are tests."""
    model = harness.Model(tmp_path_factory.mktemp("model"))
    yield model
    model.stop()


@pytest.fixture
def model(shared_model):
    """Give the model, and put all its knobs back afterwards."""
    yield shared_model
    shared_model.control("DELETE", "/knobs")


@pytest.fixture
def tunnel(model):
    """Give a new tunnel."""
    return model.new_tunnel()


@pytest.fixture
def binary(request):
    """Give the path of the connector under test."""
    return pathlib.Path(request.config.getoption("--cloudflared")).resolve()


@pytest.fixture
def spawn(binary, model, tmp_path):
    """Give a function that starts the connector with any arguments."""
    started = []

    def start(*arguments, environment=None):
        directory = tmp_path / ("c%d" % len(started))
        directory.mkdir(exist_ok=True)
        connector = harness.Connector(
            binary, directory, model.addresses["edge"], [str(word) for word in arguments],
            environment or {})
        started.append(connector)
        return connector

    yield start
    for connector in started:
        connector.kill()


@pytest.fixture
def run(spawn, tmp_path):
    """Give a function that runs a tunnel's token from a file, on a free metrics port."""
    def start(tunnel, *tunnel_flags, token=None, protocol="http2"):
        path = tmp_path / ("token-" + tunnel.id)
        if token is not None or not path.exists():
            path.write_text(token or tunnel.token)
        return spawn("tunnel", "--metrics", "127.0.0.1:0", *tunnel_flags, "run", "--protocol",
                     protocol, "--token-file", path)
    return start


@pytest.fixture
def traffic(tmp_path):
    """Give a function that starts the load generator."""
    started = []

    def start(tunnel, **more):
        started.append(harness.Traffic(tunnel, tmp_path, **more))
        return started[-1]

    yield start
    for generator in started:
        generator.kill()
