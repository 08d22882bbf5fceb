"""The table in tests/README.md has a row for every fault, and every row names existing tests. The
manual pages name existing tests, too.
"""

import re

from house.rule import Plant, Rule

TABLE = "tests/README.md"
SIMULATION = "tests/simulation/faults.hpp"
FAULTS = tuple(f"{letter}{number}" for letter, last in
               (("H", 18), ("D", 6), ("U", 9), ("F", 5), ("K", 5), ("T", 2), ("M", 17),
                ("W", 6), ("S", 1))
               for number in range(1, last + 1))

_ROW = re.compile(r"\|\s*([A-Z]\d+)\s*\|")
_NAME = re.compile(r"`([\w.]+)::([\w.]+)`")
_SHOWN_BY = re.compile(r'\.\\" shown by (\S+)$')
_CPP_TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
_PYTHON_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)
_FAULT_KIND = re.compile(r'"(\w+)"')


def rows_of(tree):
    """Yield (line, fault, the cell with its tests) for each row."""
    table = tree.by_path.get(TABLE)
    for number, line in enumerate(table.lines if table else (), 1):
        if found := _ROW.match(line):
            yield number, found.group(1), line.strip().strip("|").split("|")[-1]


def tests_of(tree) -> set[tuple[str, str]]:
    """Return (file, test) for all tests, and ("simulation", kind) for the simulator's faults."""
    tests = set()
    for file in tree.files:
        if not file.below("tests"):
            continue
        name = file.path.rpartition("/")[2]
        if file.is_cpp:
            tests.update((name, f"{suite}.{test}") for suite, test in _CPP_TEST.findall(file.text))
        elif file.is_python:
            tests.update((name, test) for test in _PYTHON_TEST.findall(file.text))
        if file.path == SIMULATION:
            tests.update(("simulation", kind) for kind in _FAULT_KIND.findall(file.text))
    return tests


def find_lost_tests(tree):
    tests = tests_of(tree)
    for number, fault, shown_by in rows_of(tree):
        names = _NAME.findall(shown_by)
        if not names:
            yield TABLE, number, f"{fault} names no test (`file::test`)"
        for name in names:
            if name not in tests:
                yield TABLE, number, f"{fault}: there is no test {'::'.join(name)}"


def find_lost_proofs(tree):
    """A comment of a manual page names the test that shows the sentence before it."""
    tests = tests_of(tree)
    for file in tree.files:
        if not file.below("packaging/man"):
            continue
        for number, line in enumerate(file.lines, 1):
            found = _SHOWN_BY.match(line)
            if found and tuple(found.group(1).split("::")) not in tests:
                yield file.path, number, f"there is no test {found.group(1)}"


def find_lost_rows(tree):
    seen = set()
    for number, fault, _ in rows_of(tree):
        if fault not in FAULTS:
            yield TABLE, number, f"{fault} is no fault of the list"
        if fault in seen:
            yield TABLE, number, f"{fault} has a row already"
        seen.add(fault)
    if TABLE in tree.by_path and (lost := [fault for fault in FAULTS if fault not in seen]):
        yield TABLE, 1, "no row is there for " + ", ".join(lost)


def row(name: str, fault: str = "H1") -> str:
    return f"| {fault} | 429 | waits | {name} |\n"


def table(faults) -> str:
    return "".join(row("`a_test.cpp::Api.Waits`", fault) for fault in faults)


BESIDE = (
    ("tests/unit/a/a_test.cpp", "TEST(Api, Waits) {}\nTEST_F(\n    ApiTest, Holds) {}\n"),
    ("tests/system/test_a.py", "def test_it(scenario):\n    pass\n"),
    (SIMULATION, 'fault_names{\n    "api_call",\n};\n'),
)

RULES = (
    Rule("fault test", find_lost_tests, (
        Plant(TABLE, row("`a_test.cpp::Api.Sleeps`"), (1,), beside=BESIDE),
        Plant(TABLE, row("`b_test.cpp::Api.Waits`"), (1,), beside=BESIDE),
        Plant(TABLE, row("`test_a.py::test_them`"), (1,), beside=BESIDE),
        Plant(TABLE, row("`simulation::api_calls`"), (1,), beside=BESIDE),
        Plant(TABLE, row("") + row("somewhere"), (1, 2), beside=BESIDE),
        Plant(TABLE, row("`a_test.cpp::Api.Waits`, `test_a.py::test_no`"), (1,), beside=BESIDE),
        Plant(TABLE, "`x.cpp::X.Y` stands outside\n" + row(
            "`a_test.cpp::Api.Waits`, `a_test.cpp::ApiTest.Holds`, `test_a.py::test_it`, "
            "`simulation::api_call`"), beside=BESIDE),
    )),
    Rule("shown by", find_lost_proofs, (
        Plant("packaging/man/a.8", '.\\" shown by test_a.py::test_them\n', (1,), beside=BESIDE),
        Plant("packaging/man/a.8", '.\\" shown by a_test.cpp\n', (1,), beside=BESIDE),
        Plant("packaging/man/a.8", '.\\" shown by test_a.py::test_it\n'
              '.\\" shown by a_test.cpp::ApiTest.Holds\nshown by nobody\n', beside=BESIDE),
    )),
    Rule("fault row", find_lost_rows, (
        Plant(TABLE, table(FAULTS[1:]), (1,)),
        Plant(TABLE, table(FAULTS + FAULTS[:1]), (len(FAULTS) + 1,)),
        Plant(TABLE, table(FAULTS) + table(["H99"]), (len(FAULTS) + 1,)),
        Plant(TABLE, "# tests\n" + table(FAULTS)),
        Plant("tests/system/README.md", table(FAULTS[1:])),
    )),
)
