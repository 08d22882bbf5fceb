"""What the system tests share: the build under test, and hosts that last for a module."""

import functools
import os
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "sandbox" / "scenario"), str(TESTS / "history")]

from chronicle import Judge, Policy, read_entries  # noqa: E402
from layouts import LAYOUTS, STUBBORN  # noqa: E402
from scenario import Fleet, Scenario, StockHost, Waves  # noqa: E402
from scenario.places import STAND_IN, built_package  # noqa: E402

# Short waits of the stand-in, and short timeouts of its units, where no traffic is counted.
QUICK = {"time_scale": 0.1, "start_timeout": "3", "stop_timeout": "4", "restart_pause": "1"}


# The files with the longest runs, the longest first.
LONG = ["test_package", "test_upgrade", "test_fleet", "test_doctor", "test_compromise",
        "test_units", "test_containers", "test_exposure", "test_idle", "test_faults",
        "test_many_tunnels", "test_hostile_user", "test_capacity", "test_costs"]

# What the rules of histories have to know of a policy.
PROMISES = ("settle", "soak", "min_healthy_time", "batches", "canary")


def pytest_configure(config):
    """Say what a test can be marked with."""
    config.addinivalue_line("markers", "breaks(RULE...): rules of tests/history that this breaks")


def pytest_addoption(parser):
    """Let the caller choose what is tested."""
    parser.addoption("--build", type=pathlib.Path, metavar="PATH",
                     help="what is installed: a build directory or a package (default: the one "
                     "in build/packages)")
    parser.addoption("--cloudflared", type=pathlib.Path, default=STAND_IN, metavar="PATH",
                     help="the connector in the test hosts (default: the stand-in)")


def pytest_sessionstart(session):
    """Say what is missing, in one sentence and once."""
    if os.geteuid() != 0:
        pytest.exit("system tests boot hosts in namespaces: run them as root (tests/run does)", 1)
    if not session.config.option.build:
        try:
            session.config.option.build = built_package()
        except FileNotFoundError as error:
            pytest.exit(str(error), 1)


def place(item):
    """Return when a test has its turn: the longest first, so that none is alone at the end.

    What boots a host for each test comes last: any process that is free can take the next one.
    """
    if "stock" in item.fixturenames:
        return len(LONG) + 1
    return LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Choose the order of the tests, and which of them share a process with --dist loadgroup."""
    items.sort(key=place)
    for item in items:
        if "stock" not in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def told_by(item):
    """Return the rollout policy of what a test runs keyturnd in, and the journals of its hosts.

    Journals that tell one story together are in one list.
    """
    scenario, fleet = item.funcargs.get("scenario"), item.funcargs.get("fleet")
    if isinstance(fleet, Fleet):
        journals = [host.journal for host in fleet.hosts.values()]
        apart = isinstance(fleet, Waves)
        return fleet.rollout, [[journal] for journal in journals] if apart else [journals]
    if isinstance(scenario, Scenario) and scenario.build:
        return scenario.keyturn.rollout, [[scenario.journal]]
    return {}, []


def broken_rules(item, rollout, journals):
    """Return what keyturnd has told in this test and should not have."""
    rollout = dict(rollout)
    if isinstance(rollout.get("soak"), dict):
        rollout["soak"] = rollout["soak"]["min"]
    policy = Policy().with_words(
        "%s=%s" % (key, str(rollout[key]).lower()) for key in PROMISES if key in rollout)
    without = [rule for mark in item.iter_markers("breaks") for rule in mark.args]
    entries = read_entries(line for journal in journals for line in journal.history())
    judge = Judge(policy, without, fleet=len(journals) > 1)
    return [str(breach) for breach in judge.read(entries)]


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item):
    """After a test that has passed: what was told meanwhile has to keep the rules of a history."""
    rollout, stories = told_by(item)
    breaches = []
    for journals in stories:
        breaches += broken_rules(item, rollout, journals)
        for journal in journals:
            journal.begin_history()
    assert not breaches, "the history breaks rules:\n" + "\n".join(breaches)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Add what keyturnd said to the report of a test that failed."""
    report = (yield).get_result()
    if report.failed and call.when != "teardown":
        for name, value in item.funcargs.items():
            if isinstance(value, Scenario) and not name.endswith("host") or name == "fleet":
                report.sections.append(("journal of keyturnd and systemd", value.told()))


@pytest.fixture(name="package", scope="module")
def package_under_test(request):
    """Return the Debian package that is tested."""
    package = request.config.getoption("--build")
    assert package.suffix == ".deb", "these tests need a package: packaging/build deb"
    return package


@pytest.fixture(scope="session")
def booted(request, tmp_path_factory):
    """Give a function that boots a scenario; all of them end with the session."""
    running = []

    def start(keyturn=True, **options):
        build = request.config.getoption("--build") if keyturn else None
        scenario = Scenario(tmp_path_factory.mktemp("host"), build=build,
                            cloudflared=request.config.getoption("--cloudflared"), **options)
        running.append(scenario.__enter__())
        return scenario

    yield start
    for scenario in running:
        scenario.__exit__()


@pytest.fixture(scope="module")
def boot(booted):
    """Give the function to modules that want a host of their own, with the real one's waits."""
    return booted


@pytest.fixture(scope="session")
def boot_quick(booted):
    """Give the function that boots a scenario with short waits."""
    return functools.partial(booted, **QUICK)


@pytest.fixture(scope="session")
def quick_host(boot_quick):
    """Boot the one scenario with short waits that several modules share."""
    return boot_quick()


@pytest.fixture(name="scenario")
def fresh_scenario(quick_host):
    """Give that scenario as it was at the start, whatever the test before has done to it."""
    quick_host.reset()
    return quick_host


@pytest.fixture(name="stock")
def host_of_a_layout(request, tmp_path):
    """Boot a host whose units are of the layout of that name."""
    with StockHost(tmp_path / "host", request.config.getoption("--build"),
                   {**LAYOUTS, **STUBBORN}[request.param]) as host:
        host.name = request.param
        yield host


@pytest.fixture(name="traffic")
def traffic_without_loss(scenario):
    """Traffic of which nothing may be lost, whatever the test does.

    Half as much as where the rotation itself is shown: eight hosts share a machine, and one whose
    requests have waited for a process that stands still has to catch up with them.
    """
    traffic = scenario.traffic.start(rate=50, slow_rate=5, slow_delay="500ms")
    yield traffic
    summary = traffic.stop()
    assert summary["sent"] > 0 and summary["failed"] == 0, summary["failures"]


@pytest.fixture(scope="module", name="store")
def usual_store():
    """Choose what the hosts of a fleet share; modules choose something else."""
    return "bucket"


@pytest.fixture(scope="module", name="booted_fleet")
def three_hosts(request, tmp_path_factory, store):
    """Boot three hosts of one fleet, with a store between them or without; one only follows."""
    kind = Waves if store == "nothing" else Fleet
    with kind(tmp_path_factory.mktemp("fleet"), request.config.getoption("--build"),
              names=("alpha", "beta", "gamma"), rollout={"soak": "2s"},
              followers=("gamma",), store=store) as fleet:
        yield fleet


@pytest.fixture(name="fleet")
def calm_fleet(booted_fleet):
    """Give the fleet once everything is as it should be."""
    booted_fleet.cloudflare.heal()
    for name in booted_fleet.hosts:
        booted_fleet.mend(name)
    booted_fleet.wait_idle()
    booted_fleet.wait_full()
    for host in booted_fleet.hosts.values():
        host.journal.begin_history()
    yield booted_fleet
    booted_fleet.traffic.abandon()
