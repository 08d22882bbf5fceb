"""How long lines, functions and files may be, and what a file must have."""

import ast
import pathlib
import re

from house import cpp
from house.rule import Plant, Rule

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400
COLUMNS_MAX = 100


def find_long_functions(tree):
    for file in tree.files:
        for first, last in cpp_functions(file) if file.is_cpp else python_functions(file):
            length = last - first + 1
            if length > FUNCTION_LINES_MAX:
                yield file.path, first, f"{length} lines; split it (at most {FUNCTION_LINES_MAX})"


def cpp_functions(file):
    for function in cpp.Scan(file.code).functions:
        yield file.line_of(function.first), file.line_of(function.last)


def python_functions(file):
    if not file.is_python:
        return
    try:
        module = ast.parse(file.text)
    except SyntaxError:
        return
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def find_long_files(tree):
    for file in tree.files:
        if (file.is_cpp or file.is_script) and len(file.lines) > FILE_LINES_MAX:
            sentence = f"{len(file.lines)} lines; split it by meaning (at most {FILE_LINES_MAX})"
            yield file.path, FILE_LINES_MAX + 1, sentence


def inside_raw_string(file, number: int) -> bool:
    """Return True for a line inside R"(...)": sample data may be wider than the limit."""
    blank = file.is_cpp and not file.code_lines[number - 1].strip()
    return blank and not file.lines[number - 1].lstrip().startswith(("//", "/*", "*"))


def find_wide_lines(tree):
    for file in tree.files:
        if not (file.is_cpp or file.is_script):
            continue
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX and not inside_raw_string(file, number):
                yield file.path, number, f"{len(line)} columns; at most {COLUMNS_MAX}"


def find_tabs(tree):
    for file in tree.cpp():
        for number, line in enumerate(file.lines, 1):
            if "\t" in line:
                yield file.path, number, "a tab; indent with spaces, and write \\t in strings"


def find_trailing_space(tree):
    for file in tree.files:
        if pathlib.PurePosixPath(file.path).suffix in (".txt", ".bin", ".patch"):
            continue  # Test data, in which trailing space may matter.
        for number, line in enumerate(file.lines, 1):
            if re.search(r"[ \t\r]$", line):
                yield file.path, number, "white space at the end of the line"
        if file.text and not file.text.endswith("\n"):
            yield file.path, len(file.lines), "no newline at the end of the file"


def find_missing_shebangs(tree):
    for file in tree.files:
        has_shebang = file.text.startswith("#!")
        if file.executable and not has_shebang:
            yield file.path, 1, "executable without #!; say what runs it, or take the mode away"
        if has_shebang and not file.executable:
            yield file.path, 1, "#! without the executable bit; chmod +x, or take the line away"


def find_missing_readmes(tree):
    folders = {}
    for file in tree.files:
        parts = file.path.split("/")
        if parts[0] == "lib" and len(parts) > 2:
            folders.setdefault("/".join(parts[:2]), file.path)
    for folder in sorted(folders):
        if folder + "/README.md" not in tree.by_path:
            yield folders[folder], 1, f"{folder} has no README.md: purpose, may use, main types"


def cpp_function(lines: int) -> str:
    return "int f(int x)\n{\n" + "    g({x});\n" * (lines - 3) + "}\n"


def constructor(lines: int) -> str:
    return "A::A(int x) : a_{x}, b_(x) {\n" + "    if (x) { g(x); }\n" * (lines - 2) + "}\n"


def python_function(lines: int) -> str:
    return "def f():\n" + "    pass\n" * (lines - 1)


LONG_CLASS = "class A {\n" + "    void f() { g(); }\n" * 100 + "};\n"
LONG_TABLE = "constexpr std::array a{\n" + "    B{1},\n" * 100 + "};\n"

RULES = (
    Rule("function length", find_long_functions, (
        Plant("lib/a/a.cpp", "namespace a {\n" + cpp_function(71) + "}\n", (2,)),
        Plant("lib/a/a.cpp", constructor(71), (1,)),
        Plant("lib/a/a.cpp", "struct A {\n    int x = 0;\n" + cpp_function(71) + "};\n", (3,)),
        Plant("tests/a.py", "x = 1\n" + python_function(71), (2,)),
        Plant("lib/a/a.cpp", cpp_function(70)), Plant("lib/a/a.cpp", constructor(70)),
        Plant("lib/a/a.cpp", LONG_CLASS), Plant("lib/a/a.cpp", LONG_TABLE),
        Plant("tests/a.py", python_function(70)),
    )),
    Rule("file length", find_long_files, (
        Plant("lib/a/a.hpp", "\n" * 401, (401,)),
        Plant("tests/a.py", "\n" * 401, (401,)),
        Plant("tests/run", "#!/bin/sh\n" + "\n" * 400, (401,), executable=True),
        Plant("lib/a/a.cpp", "\n" * 400), Plant("tests/wrong.txt", "\n" * 999),
    )),
    Rule("columns", find_wide_lines, (
        Plant("lib/a/a.cpp", "// " + "ä" * 98 + "\n", (1,)),
        Plant("tests/a.py", "\n# " + "a" * 99 + "\n", (2,)),
        Plant("lib/a/a.cpp", "// " + "ä" * 97 + "\n"),
        Plant("lib/a/a.cpp", 'auto x = R"(\n' + "a" * 101 + '\n)";\n'),
    )),
    Rule("tab", find_tabs, (
        Plant("lib/a/a.cpp", "\n\tint x;\n", (2,)), Plant("lib/a/a.cpp", 'auto x = "\\t";\n'),
    )),
    Rule("trailing space", find_trailing_space, (
        Plant("lib/a/README.md", "a \nb\n", (1,)), Plant("lib/a/a.cpp", "a\r\n", (1,)),
        Plant("lib/a/a.cpp", "a\nb", (2,)), Plant("lib/a/a.cpp", "a\n\nb\n"),
    )),
    Rule("shebang", find_missing_shebangs, (
        Plant("tests/run", "set -e\n", (1,), executable=True),
        Plant("tests/run", "#!/bin/sh\n", (1,)),
        Plant("tests/run", "#!/bin/sh\n", executable=True),
    )),
    Rule("README", find_missing_readmes, (
        Plant("lib/a/a.cpp", "\n", (1,), beside=(("lib/README.md", "\n"),)),
        Plant("lib/a/a.cpp", "\n", beside=(("lib/a/README.md", "\n"),)),
    )),
)
