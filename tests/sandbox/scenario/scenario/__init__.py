"""A whole installation in one test host: Cloudflare's model, connectors, traffic, keyturnd."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "host"))

from scenario.cloudflare import Cloudflare, decoded  # noqa: E402
from scenario.fleet import Fleet  # noqa: E402
from scenario.journal import EVENT_IDS, event_name  # noqa: E402
from scenario.scenario import Scenario  # noqa: E402
from scenario.stock import Layout, StockHost  # noqa: E402
from scenario.waiting import Overdue, wait_until  # noqa: E402
from scenario.waves import Waves  # noqa: E402

__all__ = ["Cloudflare", "EVENT_IDS", "Fleet", "Layout", "Overdue", "Scenario", "StockHost",
           "Waves", "decoded", "event_name", "wait_until"]
