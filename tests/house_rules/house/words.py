"""Forbidden words and calls. The words are split, so that this file does not break its rule."""

import re

from house.rule import Plant, Rule

_UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
_PATH = re.compile(r"(?<![\w.])/(?:wo" r"rk|ho" r"me)/\w")

# Calls that read the environment, the files that may use them, and what to do elsewhere.
_AMBIENT = (
    (re.compile(r"\b(?:steady|system|high_resolution)_clock\s*::\s*now\b|\bclock_gettime\s*\("
                r"|\bgettimeofday\s*\(|::time\s*\(\s*(?:nullptr|NULL|0)"),
     re.compile(r"lib/clock/|lib/notify/notifier\.cpp$|daemon/keyturnctl/(?:follow|main)\.cpp$"
                r"|daemon/keyturnd/run\.cpp$|tests/simulation/main\.cpp$"
                r"|lib/setup/(?:command|foreground)\.|daemon/keyturn-setup/"  # They wait.
                r"|tests/integration/peers/"),  # They stand beside real sockets and a real bus.
     "asks for the time; a Clock is passed in"),
    (re.compile(r"\b(?:secure_)?getenv\s*\("),
     re.compile(r"daemon/|lib/bus/system_bus\.cpp$|lib/units/unit_error\.cpp$"
                r"|lib/notify/notifier\.cpp$"  # As sd_notify() does.
                r"|lib/http/tls_context\.cpp$"),  # As OpenSSL does.
     "reads the environment; the composition root does"),
    (re.compile(r"\bs?rand(?:om)?\s*\(|\b(?:rand_r|drand48|getrandom)\s*\(|\brandom_device\b"),
     re.compile(r"lib/token/random\.cpp$|lib/files/atomic_file\.cpp$"  # Names of new files.
                r"|daemon/keyturnctl/fleet\.cpp$"),  # A fleet key, without OpenSSL.
     "makes random numbers; Random is passed in"),
    (re.compile(r"\bthis_thread::sleep_\w+|\b(?:usleep|nanosleep)\s*\(|(?<![\w.>])sleep\s*\("),
     re.compile(r"daemon/keyturn-setup/"),  # There is nothing else to do meanwhile.
     "stops the one thread; await the Clock"),
    (re.compile(r"\bstd::c(?:out|err)\b|(?<![\w.>])printf\s*\("),
     re.compile(r"daemon/|lib/base/invariant\.cpp$|lib/journal/"),
     "prints; events go to the EventLog"),
)


# A path that several processes of a test run share breaks one of them now and then.
_SHARED = re.compile(r"\bTempDir\s*\(|\"/tmp/")


def find_shared(tree):
    for file in tree.cpp("tests"):
        if file.path == "tests/fakes/sandbox.hpp":
            continue
        for number, line in enumerate(file.lines, 1):
            if found := _SHARED.search(line):
                yield (file.path, number,
                       f"`{found.group(0)}` may be another test's, too; take a Sandbox")


def find_pattern(pattern, sentence):
    def find(tree):
        for file in tree.files:
            for number, line in enumerate(file.lines, 1):
                if found := pattern.search(line):
                    yield file.path, number, sentence.format(found.group(0))
    return find


def find_ambient(tree):
    for file in tree.cpp("lib", "daemon", "tests/fakes", "tests/simulation"):
        for pattern, homes, sentence in _AMBIENT:
            if homes.match(file.path):
                continue
            for number, line in enumerate(file.code_lines, 1):
                if found := pattern.search(line):
                    yield file.path, number, f"`{found.group(0).strip()}` {sentence}"


def cpp_plant(line: str, *lines: int) -> Plant:
    return Plant("lib/rotation/a.cpp", line + "\n", lines)


RULES = (
    Rule("unfinished", find_pattern(_UNFINISHED, "`{}` is for a list of work, not for the code"), (
        cpp_plant("int x;  // TO" "DO: think", 1), cpp_plant("// FIX" "ME", 1),
        Plant("lib/a/README.md", "# XX" "X\n", (1,)),
        cpp_plant("// mktemp(3) wants keyturn-XX" "XXXX."),
    )),
    Rule("absolute path", find_pattern(_PATH, "`{}...` is a place on one machine only"), (
        Plant("tests/a.py", "x = '/wo" "rk/main'\n", (1,)),
        Plant("tests/run", "cd /ho" "me/me\n", (1,)),
        Plant("tests/a.py", "x = 'network/wo" "rk/a ProtectHome=/ho" "me'\n"),
    )),
    Rule("shared path", find_shared, (
        Plant("tests/unit/a.cpp", 'auto path = testing::TempDir() + "x";\n', (1,)),
        Plant("tests/unit/a.cpp", 'std::ofstream("/tmp" "/x");\n'.replace('" "', ""), (1,)),
        Plant("tests/fakes/sandbox.hpp", "return testing::TempDir();\n"),
        Plant("lib/a/a.cpp", 'auto path = "/tmp" "/x";\n'.replace('" "', "")),
    )),
    Rule("ambient", find_ambient, (
        cpp_plant("auto t = std::chrono::steady_clock::now();", 1),
        cpp_plant("auto t = std::chrono::system_clock::now();", 1),
        cpp_plant("::clock_gettime(CLOCK_BOOTTIME, &t);", 1),
        cpp_plant("auto t = std::time(nullptr);", 1),
        cpp_plant('auto* x = std::getenv("X");', 1), cpp_plant("int x = rand();", 1),
        cpp_plant("std::mt19937 generator(1);"), cpp_plant("std::random_device device;", 1),
        cpp_plant("std::this_thread::sleep_for(1s);", 1), cpp_plant("::usleep(3);", 1),
        cpp_plant("std::cerr << 1;", 1), cpp_plant("sleep_for(rotation, 1s);"),
        Plant("tests/fakes/a.cpp", "int x = rand();\n", (1,)),
        Plant("lib/clock/clock.cpp", "::clock_gettime(CLOCK_BOOTTIME, &t);\n"),
        Plant("daemon/keyturnd/a.cpp", 'auto* x = std::getenv("X");\n'),
        cpp_plant("co_await clock_.sleep_until(when);"),
        cpp_plant("int operand(int grand) { return strand(1); }"),
        Plant("tests/unit/a.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    )),
)
