"""g++ 12 miscompiles natural-looking statements with co_await: a double free at run time."""

import re

from house import cpp
from house.rule import Plant, Rule


CONDITION = re.compile(r"\b(?:while|if|switch)\s*\(\s*!?\s*co_await\b")


def find_awaits(tree):
    for file in tree.cpp():
        if "co_await" not in file.code:
            continue
        # g++ 12 can put the value where the coroutine frame has its resume address.
        conditions = {file.line_of(found.start()) for found in CONDITION.finditer(file.code)}
        for line in sorted(conditions):
            yield file.path, line, "co_await in a condition; name it before"
        for statement in cpp.Scan(file.code).statements:
            for offset in statement.awaits[:1]:
                line = file.line_of(offset)
                for trouble in troubles_of(statement):
                    yield file.path, line, f"{trouble} beside co_await; name the value before"


def troubles_of(statement):
    if statement.captures:
        yield "a capturing lambda"
    elif statement.braces:
        yield "braces"
    if "?" in statement.text:
        yield "?:"


def find_detached(tree):
    word = "detached"
    for file in tree.cpp():
        for number, line in enumerate(file.code_lines, 1):
            if word in line and "include" not in line:
                yield file.path, number, f"`{word}` drops errors; give co_spawn a real handler"


def body(statement: str) -> str:
    return f"Task<> run() {{\n    {statement}\n}}\n"


def bad(statement: str) -> Plant:
    return Plant("lib/bus/a.cpp", body(statement), (2,))


def good(statement: str) -> Plant:
    return Plant("lib/bus/a.cpp", body(statement))


RULES = (
    Rule("co_await", find_awaits, (
        bad("co_await f(Options{1, 2});"),
        bad("co_await f({1, 2});"),
        bad("const auto x = co_await f(Options{.a = 1});"),
        bad("Options x{.a = co_await f()};"),
        bad("co_return Options{co_await f()};"),
        bad("co_await f([name] { return name; });"),
        bad("co_await f([this](int x) -> Task<> { co_return; });"),
        bad("co_await f([](int x) { return x; });"),
        bad("const auto x = c ? co_await a() : co_await b();"),
        bad("co_await f(c ? a : b);"),
        bad("if (auto x = co_await f({1}); x) { g(); }"),
        bad("for (auto& x : co_await f(List{1})) g(x);"),
        bad("values.push_back(Options{.a = co_await f()});"),
        Plant("tests/unit/bus/a.cpp",
              body("run([&]() -> Task<> {\n        co_await f({1});\n    });"), (3,)),
        Plant("lib/bus/a.cpp",
              body("while (more) {\n    co_await f(\n        one,\n        {2});\n}"), (3,)),
        good("co_await f(std::move(a));"),
        good("if (auto x = co_await f(); x) { g(Options{1}); } else { h({2}); }"),
        bad("while (co_await f()) g();"),
        bad("if (!co_await f()) g();"),
        good("bool more = true;\n    while (more) more = co_await f();"),
        good("auto [ec, n] = co_await op(as_tuple(use_awaitable));"),
        good("auto call = [name] { return name; };\n    co_await f(std::move(call));"),
        good("run([this]() -> Task<> { co_await f(x[1]); }, handler);"),
        good('co_await f("{?}");  // {?}'),
        good("Options o{1};\n    for (int i = 0; i < 3; ++i) co_await f(o);"),
        good("switch (x) { case 1: co_await f(); break; default: co_return Result{1}; }"),
        good("if (a) { b({1}); }\n    co_await f();"),
    )),
    Rule("detached", find_detached, (
        Plant("lib/bus/a.cpp", "void f() {\n    co_spawn(e, g(), detached);\n}\n", (2,)),
        Plant("lib/bus/a.cpp", "void f() {\n    co_spawn(e, g(), handler);  // Not detached.\n}\n"),
    )),
)
