"""Which folder may include which, and what the heart may never see."""

import functools
import re

from house.rule import Plant, Rule

_INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')

# A folder of lib to the folders it may include from. What is not here needs a line here first.
MAY_INCLUDE = {
    "asio": "",
    "base": "",
    "time": "asio base",
    "files": "base",
    "policy": "base schedule time",
    "schedule": "base time",
    "token": "base",
    "journal": "base time",
    "rotation": "asio base cloudflare cloudflared delivery journal policy schedule state time "
                "token units",
    "http": "asio base time",
    "cloudflare": "asio base http policy time",
    "bus": "asio base time",
    "units": "asio base bus time",
    "cloudflared": "asio base http time token units",
    "delivery": "base files token",
    "state": "base files rotation time token",
    "notify": "base time",
    "control": "asio base bus time",
    "metrics": "asio base http time",
    "fleet": "asio base files http rotation time token",
    "agent": "asio base cloudflare cloudflared control delivery fleet journal metrics notify "
             "policy rotation schedule state time token units",
}

# The heart decides and does nothing: rotator* is the shell around it.
HEART = re.compile(
    r"lib/(?:rotation/(?!rotator)|schedule/|token/[^/]+\.hpp$|policy/policy\.hpp$).*")
HEART_BANNED = re.compile(r"openssl/|systemd/|boost/beast|yaml-cpp/|nlohmann/|fstream$")
# Of the folders that reach the world, the heart may see plain data and pure functions.
PLAIN_DATA = {"cloudflare/connector.hpp", "cloudflared/readiness.hpp",
              "cloudflared/token_source.hpp", "units/unit_state.hpp"}
WORLD = {"cloudflare", "cloudflared", "units", "delivery", "state", "bus", "http", "files",
         "notify", "control", "asio"}

# One file speaks Beast; the other one holds its compiled part.
BEAST_HOMES = {"lib/http/response_reader.cpp", "lib/http/beast.cpp"}


def includes_of(file):
    for number, line in enumerate(file.lines, 1):
        if found := _INCLUDE.match(line):
            yield number, found.group(1) or found.group(2), found.group(1) is not None


def find_wrong_direction(tree):
    for file in tree.cpp("lib"):
        parts = file.path.split("/")
        folder = parts[1] if len(parts) > 2 else ""
        if folder not in MAY_INCLUDE:
            yield file.path, 1, f"lib/{folder} is not in the table of directions (direction.py)"
            continue
        allowed = {folder, *MAY_INCLUDE[folder].split()}
        for number, target, ours in includes_of(file):
            other = target.split("/")[0]
            if ours and "/" not in target:
                yield file.path, number, f'write the folder, too: "{folder}/{target}"'
            elif ours and other not in allowed:
                yield file.path, number, f"lib/{folder} may not include from {other}"


def find_heart_troubles(tree):
    banned = functools.partial(banned_below, tree)
    for file in tree.cpp("lib"):
        if not HEART.match(file.path):
            continue
        for number, target, ours in includes_of(file):
            if HEART_BANNED.search(target):
                yield file.path, number, f"the heart does not include <{target}>; use an interface"
            elif ours and target.split("/")[0] in WORLD and target not in PLAIN_DATA:
                yield file.path, number, f"{target} reaches the world; only rotator* may"
            elif ours and (way := banned(target, ())):
                yield file.path, number, f"this leads to <{way[-1]}> by {', '.join(way[:-1])}"


def banned_below(tree, target, way):
    """The chain of includes from one of our headers to a banned one; nothing when there is none."""
    file = tree.by_path.get("lib/" + target)
    if file is None or target in way:
        return None
    for _, inner, ours in includes_of(file):
        if HEART_BANNED.search(inner):
            return (*way, target, inner)
        if ours and (found := banned_below(tree, inner, (*way, target))):
            return found
    return None


def find_beast(tree):
    for file in tree.cpp("lib", "daemon"):
        for number, target, _ in includes_of(file):
            if "boost/beast" in target and file.path not in BEAST_HOMES:
                yield file.path, number, "Beast is for lib/http/response_reader.cpp (25 s a file)"


def find_tests_in_product(tree):
    for file in tree.cpp("lib", "daemon"):
        for number, target, ours in includes_of(file):
            framework = target.startswith(("gtest/", "gmock/"))
            if framework or (ours and target.startswith(("unit/", "fakes/"))):
                yield file.path, number, "the product does not include from tests"


RULES = (
    Rule("direction", find_wrong_direction, (
        Plant("lib/base/a.hpp", '#pragma once\n#include "time/clock.hpp"\n', (2,)),
        Plant("lib/rotation/a.cpp", '#include "control/x.hpp"\n', (1,)),
        Plant("lib/unheard_of/a.cpp", "\n", (1,)),
        Plant("lib/bus/a.cpp", '#include "bus.hpp"\n', (1,)),
        Plant("lib/time/a.cpp", '#include "base/a.hpp"\n#include "time/b.hpp"\n#include <ctime>\n'),
    )),
    Rule("heart", find_heart_troubles, (
        Plant("lib/rotation/plan.cpp", "#include <openssl/rand.h>\n", (1,)),
        Plant("lib/schedule/due.cpp", "#include <fstream>\n", (1,)),
        Plant("lib/token/token.hpp", "#include <nlohmann/json.hpp>\n", (1,)),
        Plant("lib/policy/policy.hpp", "#include <yaml-cpp/yaml.h>\n", (1,)),
        Plant("lib/rotation/plan.hpp", '#include "units/unit_manager.hpp"\n', (1,)),
        Plant("lib/rotation/plan.hpp", '#include "base/a.hpp"\n', (1,),
              beside=(("lib/base/a.hpp", '#include "base/b.hpp"\n'),
                      ("lib/base/b.hpp", "#include <systemd/sd-bus.h>\n"))),
        Plant("lib/rotation/rotator.cpp", '#include "units/unit_manager.hpp"\n'),
        Plant("lib/token/token.cpp", "#include <nlohmann/json.hpp>\n"),
        Plant("lib/rotation/plan.hpp", '#include "units/unit_state.hpp"\n#include <vector>\n'),
    )),
    Rule("beast", find_beast, (
        Plant("lib/http/a.cpp", "#include <boost/beast/http.hpp>\n", (1,)),
        Plant("lib/http/response_reader.cpp", "#include <boost/beast/http.hpp>\n"),
        Plant("tests/integration/a.cpp", "#include <boost/beast/http.hpp>\n"),
    )),
    Rule("tests in product", find_tests_in_product, (
        Plant("lib/time/a.cpp", "#include <gtest/gtest.h>\n", (1,)),
        Plant("daemon/keyturnd/a.cpp", '#include "fakes/clock.hpp"\n', (1,)),
        Plant("tests/unit/a.cpp", '#include <gtest/gtest.h>\n#include "fakes/a.hpp"\n'),
    )),
)
