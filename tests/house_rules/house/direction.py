"""Which folder may include which others, and what the heart must not include."""

import functools
import re

from house.rule import Plant, Rule

_INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')

# What a folder of lib may include from is USES in its CMakeLists.txt. CMake makes the include path
# from that, so the compiler refuses the rest.
_USES = re.compile(r"\bUSES\s+([a-z_\s]+)")
_ROW = re.compile(r"^\| `([a-z_]+)` \|.*\| ([^|]*) \|$")

# The heart only decides; it has no I/O.
HEART = re.compile(r"lib/(?:rotation/|schedule/|token/[^/]+\.hpp$|policy/policy\.hpp$).*")
HEART_BANNED = re.compile(
    r"asio/|boost/asio|openssl/|systemd/|boost/beast|yaml-cpp/|nlohmann/|fstream$")

# One file uses Beast; the other one contains its compiled part.
BEAST_HOMES = {"lib/http/response_reader.cpp", "lib/http/beast.cpp"}


def includes_of(file):
    for number, line in enumerate(file.lines, 1):
        if found := _INCLUDE.match(line):
            yield number, found.group(1) or found.group(2), found.group(1) is not None


def used_by(tree):
    """Map each folder of lib to the folders that its CMakeLists.txt uses, with the line."""
    used = {}
    for file in tree.files:
        parts = file.path.split("/")
        if len(parts) != 3 or parts[0] != "lib" or parts[2] != "CMakeLists.txt":
            continue
        found = _USES.search(file.text)
        used[parts[1]] = (set(found.group(1).split()), file.line_of(found.start())) if found \
            else (set(), 1)
    return used


def find_wrong_direction(tree):
    used = used_by(tree)
    included = {folder: set() for folder in used}
    for file in tree.cpp("lib"):
        folder = file.path.split("/")[1]
        for number, target, ours in includes_of(file):
            other = target.split("/")[0]
            if not ours or other == folder:
                continue
            included.setdefault(folder, set()).add(other)
            if "/" not in target:
                yield file.path, number, f'write the folder, too: "{folder}/{target}"'
            elif other not in used.get(folder, (set(), 1))[0]:
                yield (file.path, number,
                       f"USES in lib/{folder}/CMakeLists.txt does not name {other}")
    for folder, (names, line) in used.items():
        path = f"lib/{folder}/CMakeLists.txt"
        for name in sorted(names - included[folder]):
            yield path, line, f"no file of lib/{folder} includes from {name}"
        cycle = {name for name in reachable(used, folder) if folder in reachable(used, name)}
        if folder == min(cycle, default=None):
            yield path, line, f"a cycle: {', '.join(sorted(cycle))}"


def reachable(used, folder):
    """Return every folder that this one uses, directly or through others."""
    found, left = set(), list(used.get(folder, (set(), 1))[0])
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(used.get(name, (set(), 1))[0])
    return found


def find_wrong_table(tree):
    """Check that the table in lib/README.md shows the same lists."""
    readme = tree.by_path.get("lib/README.md")
    used = used_by(tree)
    shown = set()
    for number, line in enumerate(readme.lines if readme else (), 1):
        row = _ROW.match(line)
        if not row or row.group(1) not in used:
            continue
        folder = row.group(1)
        shown.add(folder)
        names = set(row.group(2).split(", ")) - {"nothing of ours"}
        if names != used[folder][0]:
            wanted = ", ".join(sorted(used[folder][0])) or "nothing of ours"
            yield "lib/README.md", number, f"lib/{folder}/CMakeLists.txt says: {wanted}"
    for folder in sorted(set(used) - shown):
        yield "lib/README.md", 1, f"the table has no row for {folder}"


def find_heart_troubles(tree):
    banned = functools.partial(banned_below, tree)
    for file in tree.cpp("lib"):
        if not HEART.match(file.path):
            continue
        for number, target, ours in includes_of(file):
            if HEART_BANNED.match(target):
                yield file.path, number, f"the heart does not include {target}; use an interface"
            elif ours and (way := banned(target, ())):
                yield file.path, number, f"this leads to {way[-1]} by {', '.join(way[:-1])}"


def banned_below(tree, target, way):
    """Return the includes that lead from one of our headers to a banned one; None without any."""
    file = tree.by_path.get("lib/" + target)
    if file is None or target in way:
        return None
    for _, inner, ours in includes_of(file):
        if HEART_BANNED.match(inner):
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


def _cmake(folder, uses):
    text = f"keyturn_library({folder}\n  USES {uses}\n  SOURCES a.cpp)\n"
    return f"lib/{folder}/CMakeLists.txt", text


RULES = (
    Rule("direction", find_wrong_direction, (
        Plant("lib/base/a.hpp", '#pragma once\n#include "time/clock.hpp"\n', (2,),
              beside=(("lib/base/CMakeLists.txt", "keyturn_library(base SOURCES a.cpp)\n"),)),
        Plant("lib/rotation/a.cpp", '#include "control/x.hpp"\n#include "base/x.hpp"\n', (1,),
              beside=(_cmake("rotation", "base"),)),
        Plant("lib/bus/a.cpp", '#include "bus.hpp"\n', (1,)),
        Plant(*_cmake("time", "base"), (2,), beside=(("lib/time/a.cpp", "#include <ctime>\n"),)),
        Plant(*_cmake("base", "time"), (2,),
              beside=(("lib/base/a.cpp", '#include "time/a.hpp"\n'), _cmake("time", "base"),
                      ("lib/time/a.cpp", '#include "base/a.hpp"\n'))),
        Plant("lib/time/a.cpp", '#include "base/a.hpp"\n#include "time/b.hpp"\n#include <ctime>\n',
              beside=(_cmake("time", "base"),)),
        Plant("lib/time/a.cpp", '#include "base/a.hpp"\n#include "two_words/b.hpp"\n',
              beside=(_cmake("time", "two_words base"),)),
        Plant("lib/two_words/a.cpp", '#include "base/a.hpp"\n#include "time/b.hpp"\n', (2,),
              beside=(_cmake("two_words", "base"),)),
    )),
    Rule("direction table", find_wrong_table, (
        Plant("lib/README.md", "| `time` | moments | nothing of ours |\n", (1,),
              beside=(_cmake("time", "base"),)),
        Plant("lib/README.md", "# lib\n", (1,), beside=(_cmake("time", "base"),)),
        Plant("lib/README.md", "| `time` | moments | asio, base |\n",
              beside=(_cmake("time", "base asio"),)),
        Plant("lib/README.md", "| `two_words` | both | more_words |\n",
              beside=(_cmake("two_words", "more_words"),)),
        Plant("lib/README.md", "| `two_words` | both | nothing of ours |\n", (1,),
              beside=(_cmake("two_words", "more_words"),)),
    )),
    Rule("heart", find_heart_troubles, (
        Plant("lib/rotation/plan.cpp", "#include <openssl/rand.h>\n", (1,)),
        Plant("lib/schedule/due.cpp", "#include <fstream>\n", (1,)),
        Plant("lib/token/token.hpp", "#include <nlohmann/json.hpp>\n", (1,)),
        Plant("lib/policy/policy.hpp", "#include <yaml-cpp/yaml.h>\n", (1,)),
        Plant("lib/rotation/plan.hpp", '#include "asio/task.hpp"\n', (1,)),
        Plant("lib/rotation/plan.hpp", '#include "base/a.hpp"\n', (1,),
              beside=(("lib/base/a.hpp", '#include "base/b.hpp"\n'),
                      ("lib/base/b.hpp", "#include <systemd/sd-bus.h>\n"))),
        Plant("lib/executor/units.cpp", '#include "asio/task.hpp"\n'),
        Plant("lib/token/token.cpp", "#include <nlohmann/json.hpp>\n"),
        Plant("lib/rotation/plan.hpp", '#include "model/unit_state.hpp"\n#include <vector>\n'),
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
