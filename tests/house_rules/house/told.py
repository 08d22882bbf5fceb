"""Policy keys, commands and options in texts for people exist."""

import re

from house.rule import Plant, Rule

KEY_TABLE = "lib/policy/key_table.cpp"
# The rest of the table, and the names that some of its paths have.
MORE_KEYS = ("lib/policy/coordinator_keys.hpp", "lib/policy/key_paths.hpp")
PROGRAMS = {"keyturnctl": "daemon/keyturnctl/command_line.cpp",
            "keyturnd": "daemon/keyturnd/command_line.cpp"}
# What keyturnctl leaves to another program is in that one's source.
MORE_OF_KEYTURNCTL = "daemon/keyturn-setup/root_command.cpp"
PAGE_OF_KEYS = "packaging/man/keyturn.yaml.5"
PAGES = {"packaging/man/keyturnctl.1": "keyturnctl", "packaging/man/keyturnd.8": "keyturnd",
         "packaging/man/keyturn-fleet.7": "keyturnctl"}
BUILT_IN = {"--help", "--version"}
COMPLETIONS = {"packaging/completions/keyturnctl.bash": r"(?<![\w-])--([a-z][a-z-]+)",
               "packaging/completions/keyturnctl.zsh": r"(?<![\w-])--([a-z][a-z-]+)",
               "packaging/completions/keyturnctl.fish": r" -l ([a-z][a-z-]+)"}
# Options of busctl and systemctl there.
OF_OTHERS = {"--system", "--list", "--type", "--plain", "--no-legend"}
BUS_NAMES = "lib/wire/names.hpp"

# Keys that only a later version may have: no text may mention them today.
_TO_COME = re.compile(r"\b(?:probes?|hooks?|other_replicas)\b")
_PATH = re.compile(r'(?:\.|_)path\s*=\s*"([\w.]+)"')
# "`drift: {restart: now}`". In programs, keys are always in backquotes.
_KEY = re.compile(r'(?<![\w"])["`]([a-z][a-z_]*):(?=[ `"])')
_KEY_IN_CODE = re.compile(r"`([a-z][a-z_]*):(?=[ `])")
_SNAKE = re.compile(r"(?<![\w/.=-])[a-z]+(?:_[a-z]+)+(?![\w/])")
_CALL = re.compile(r"(?:[`\"]|\bsudo |^\.Ql )(keyturnctl|keyturnd) ([^`\"\n]*)")
_CALL_IN_CODE = re.compile(r"`(keyturnctl|keyturnd) ([^`\"\n]*)")
_SY = re.compile(r"^\.(?:It )?Sy (.+)")
_FLAG = re.compile(r"\bFl -([\w-]+)")
_BUS_NAME = re.compile(r'"[^"]*(?:\borg\.keyturn\.|/org/keyturn\b)')
_STRING = re.compile(r'"(?:-[a-z],)?(-{0,2}[a-z][a-z-]*)"')

_COMMAND = re.compile(r'(?:add_subcommand|\badd|DecisionHelp|ForwardedHelp)[({]"([a-z]+)"')

# Words with an underscore or a colon that are no keys.
NO_KEYS = {
    "compromised", "success",  # A reason in the history; a member of API answers.
    "http",
}


def keys_of(tree) -> set[str]:
    """Return every key in both spellings, such as "drift.interval" and "interval"."""
    if KEY_TABLE not in tree.by_path:
        return set()
    sources = [tree.by_path[path] for path in (KEY_TABLE, *MORE_KEYS) if path in tree.by_path]
    keys = set()
    for path in _PATH.findall("\n".join(source.text for source in sources)):
        words = [word for word in path.split(".") if word != "NAME"]
        keys.update(".".join(words[at:]) for at in range(len(words)))
    return keys


def words_of(tree, program: str) -> set[str]:
    paths = [PROGRAMS[program]] + [MORE_OF_KEYTURNCTL] * (program == "keyturnctl")
    sources = [tree.by_path[path] for path in paths if path in tree.by_path]
    return {word for source in sources for word in _STRING.findall(source.text)}


def is_for_people(file) -> bool:
    return (file.path in ("README.md", "systemd/README.md", "systemd/keyturn.catalog")
            or file.below("packaging/man") or file.path.endswith((".yaml", ".service")))


def has_messages(file) -> bool:
    return file.is_cpp and file.below("lib", "daemon")


def lines_of(file):
    """Yield each line that people see, without the comments of code and of manual pages."""
    for number, line in enumerate(file.lines, 1):
        if not (file.path in PAGES and line.startswith('.\\"')):
            yield number, line.split("// ", 1)[0] if file.is_cpp else line


def find_lost_keys(tree):
    keys = keys_of(tree)
    if not keys:
        return
    for file in tree.files:
        people = is_for_people(file)
        if not people and not has_messages(file):
            continue
        for number, line in lines_of(file):
            named = set((_KEY if people else _KEY_IN_CODE).findall(line))
            if people:
                named.update(_SNAKE.findall(re.sub(r"org\.keyturn\.\w+|https?://\S+", "", line)))
                named.update(_TO_COME.findall(line))
            if file.path == PAGE_OF_KEYS and (found := _SY.match(line)):
                named.update(word.replace("NAME.", "") for word in found.group(1).split()
                             if re.match(r"[a-z]", word))
            for name in sorted(named - keys - NO_KEYS):
                if name.removesuffix(".NAME") not in keys:
                    yield file.path, number, f"the policy has no key `{name}`"


def find_lost_commands(tree):
    words = {program: words_of(tree, program) | BUILT_IN for program in PROGRAMS}
    if any(path not in tree.by_path for path in PROGRAMS.values()):
        return
    for file in tree.files:
        people = is_for_people(file)
        if not people and not has_messages(file):
            continue
        for number, line in lines_of(file):
            for program, rest in (_CALL if people else _CALL_IN_CODE).findall(line):
                called = re.findall(r"(?<!\S)--[a-z-]+", rest)
                first = rest.split(" ", 1)[0].rstrip(".,:;")
                if program == "keyturnctl" and re.fullmatch(r"[a-z]+", first):
                    called.append(first)
                    called += re.findall(r"^fleet ([a-z]+)", rest)
                for word in called:
                    if word not in words[program]:
                        yield file.path, number, f"{program} does not know `{word}`"
            if program := PAGES.get(file.path):
                for flag in _FLAG.findall(line):
                    if f"--{flag}" not in words["keyturnctl"] | words["keyturnd"]:
                        yield file.path, number, f"{program} does not know `--{flag}`"


def commands_of(tree) -> set[str]:
    """Return the commands of keyturnctl, and those of its `fleet`."""
    source = tree.by_path[PROGRAMS["keyturnctl"]]
    return set(_COMMAND.findall(source.text))


def find_lost_completions(tree):
    if any(path not in tree.by_path for path in PROGRAMS.values()):
        return
    known = {word for word in words_of(tree, "keyturnctl") if word.startswith("--")} | BUILT_IN
    for path, pattern in COMPLETIONS.items():
        file = tree.by_path.get(path)
        if file is None:
            continue
        offered = set()
        for number, line in enumerate(file.lines, 1):
            words = {"--" + word for word in re.findall(pattern, line)} - OF_OTHERS
            offered |= words
            for word in sorted(words - known):
                yield path, number, f"keyturnctl does not know `{word}`"
        for word in sorted(known - offered - BUILT_IN):
            yield path, 1, f"the completion does not offer `{word}`"
        for word in sorted(commands_of(tree)):
            if not re.search(rf"(?<![\w-]){word}(?![\w-])", file.text):
                yield path, 1, f"the completion does not offer `{word}`"


def find_stray_bus_names(tree):
    for file in tree.cpp("lib", "daemon"):
        if file.path in (BUS_NAMES, PROGRAMS["keyturnctl"]):  # The second shows them to people.
            continue
        for number, line in lines_of(file):
            if _BUS_NAME.search(line):
                yield file.path, number, f"names of the D-Bus interface are in {BUS_NAMES}"


BESIDE = (
    (KEY_TABLE, 'KeySpec{.path = "tunnels.NAME.drift"},\n'
                'KeySpec{.path = "tunnels.NAME.drift.interval"},\n'
                'KeySpec{.path = "tunnels.NAME.rollout.min_available"},\n'
                'KeySpec{.path = "tunnels.NAME.rollout"}\n'),
    (PROGRAMS["keyturnctl"], 'app.add_subcommand("rotate", "x");\n'
                             'app.add_subcommand("fleet", "x");\n'
                             'add("join", "x");\n'
                             'rotate->add_flag("--compromised", c, "x");\n'
                             '{"retry", "Go on"},\n'),
    (PROGRAMS["keyturnd"], 'app.add_option("--policy", x, "x");\n'),
)
CATALOG = "systemd/keyturn.catalog"


def plant(path: str, text: str, *lines: int) -> Plant:
    return Plant(path, text, lines, beside=BESIDE)


RULES = (
    Rule("lost key", find_lost_keys, (
        plant(CATALOG, 'after "drift: interval"\n"min_available" of the policy\n'),
        plant(CATALOG, "unless a probe is configured\n", 1),
        plant(CATALOG, 'see "soak: 10m"\nfewer than min_healthy serve\n', 1, 2),
        plant("README.md", "`rollout: {on_failure: revert}` does that\n", 1),
        plant("README.md", "see `https://x/a_b` and lib/a_b.cpp, ids of TUNNEL_NAME\n"),
        plant("lib/a/a.cpp", 'f("set `rollout: {}`");\n'),
        plant("lib/a/a.cpp", 'f("lower `soak: 1m`");\n', 1),
        plant("packaging/man/keyturnd.8", '.\\" shown by a_test\nsee a_test\n', 2),
        plant(PAGE_OF_KEYS, ".It Sy drift.interval , min_available\n.Sy rollout\n"),
        plant(PAGE_OF_KEYS, ".It Sy drift.interval , available\n.Sy rollout.soak\n", 1, 2),
    )),
    Rule("bus name", find_stray_bus_names, (
        Plant("lib/a/a.cpp", 'f("org.keyturn.Error.X");\n\nf("at /org/keyturn/Y");\n', (1, 3)),
        Plant("lib/a/a.cpp", '// As "org.keyturn.rotate".\nf("org.keyturnish", "org.x.A");\n'),
        Plant(BUS_NAMES, 'f("org.keyturn.Keyturn1");\n'),
    )),
    Rule("lost completion", find_lost_completions, (
        plant("packaging/completions/keyturnctl.bash",
              'c="rotate fleet join"\no="--compromised --follow"\n', 2),
        plant("packaging/completions/keyturnctl.zsh", "rotate:fleet:join\n", 1),
        plant("packaging/completions/keyturnctl.zsh", "--compromised\nrotate:fleet\n", 1),
        plant("packaging/completions/keyturnctl.fish",
              "complete -a rotate fleet join -l compromised\n"),
    )),
    Rule("lost command", find_lost_commands, (
        plant(CATALOG, '"keyturnctl rotate @TUNNEL_NAME@ --compromised", "keyturnctl retry X"\n'),
        plant(CATALOG, '"keyturnctl redo @TUNNEL_NAME@"\n"keyturnctl rotate X --now"\n', 1, 2),
        plant("README.md", "keyturnctl uses nothing\n`sudo keyturnd --policy X | tee Y`\n"),
        plant("README.md", "`sudo keyturnctl undo`\n`keyturnd --extra`\n", 1, 2),
        plant("README.md", "`keyturnctl fleet join web`\n`keyturnctl fleet leave web`\n", 2),
        plant("lib/a/a.cpp", 'f("until `keyturnctl retry {}`");\n'),
        plant("lib/a/a.cpp", 'f("until `keyturnctl again {}`");\n', 1),
        plant("lib/a/a.cpp", "/// As `keyturnctl init` would.\n"),
        plant("packaging/man/keyturnctl.1", ".Op Fl -compromised\n.Fl -fast\n"
              ".Ql keyturnctl retry Ar tunnel .\n.Ql keyturnctl go .\n", 2, 4),
    )),
)
