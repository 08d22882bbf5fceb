"""Only keyturnd's own messages are trusted, and polkit allows keyturnd no more than it needs."""

import re

from house.rule import Plant, Rule

LISTENER = "lib/bus/signal_listener.cpp"
WATCH = "daemon/keyturnctl/watch.cpp"  # A signal only makes it ask keyturnd.
_MATCH = re.compile(r"\bsd_bus_(?:add_match|match_signal)(?:_async)?\s*\(")

# A command that searches for the fields of our entries, up to its closing quote.
_JOURNALCTL = re.compile(
    r"journalctl\b([^\"'`\n]*(?:\n[^\"'`\n]*)?)\b(?:ROTATION_ID|TUNNEL_NAME|TARGET_UNIT)=")

MANAGER = "lib/units/unit_manager.cpp"
POLKIT_RULE = "systemd/50-keyturn.rules"
_UNIT_CALL = re.compile(r'"((?:\w+)Unit)"')
_VERBS = re.compile(r"\bvar (?:verbs|surgeVerbs) = \[([^\]]*)\]")
_VERB_OF = {"RestartUnit": "restart", "TryRestartUnit": "try-restart", "StopUnit": "stop",
            "StartUnit": "start", "ResetFailedUnit": "reset-failed", "ReloadUnit": "reload",
            "KillUnit": "kill", "FreezeUnit": "freeze", "CleanUnit": "clean"}
_ASKS_NOTHING = {"GetUnit", "LoadUnit"}  # They need no polkit authorization.


def find_matches(tree):
    for file in tree.cpp("lib", "daemon"):
        if file.path in (LISTENER, WATCH):
            continue
        for number, line in enumerate(file.code_lines, 1):
            if _MATCH.search(line):
                yield (file.path, number,
                       "any user can send us any signal; SignalListener checks who has sent it")


def find_forgeable_journal(tree):
    for file in tree.files:
        for found in _JOURNALCTL.finditer(file.text):
            if "-u keyturnd" not in " ".join(found.group(1).split()):
                yield (file.path, file.line_of(found.start()),
                       "anybody can write entries with these fields; say `journalctl -u keyturnd`")


def find_verbs(tree):
    manager, rule = tree.by_path.get(MANAGER), tree.by_path.get(POLKIT_RULE)
    if not manager or not rule:
        return
    used = {_VERB_OF.get(call, call) for call in _UNIT_CALL.findall(manager.text)
            if call not in _ASKS_NOTHING}
    lists = _VERBS.findall(rule.text)
    allowed = {verb for words in lists for verb in re.findall(r'"([^"]+)"', words)}
    for verb in sorted(allowed - used):
        yield POLKIT_RULE, 1, f"allows `{verb}`, which {MANAGER} never asks for"
    for verb in sorted(used - allowed):
        yield POLKIT_RULE, 1, f"does not allow `{verb}`, which {MANAGER} asks for"


def plant_of_verbs(verbs, calls, *lines):
    return Plant(POLKIT_RULE, f"var verbs = [{verbs}];\n", lines, beside=((MANAGER, calls),))


RULES = (
    Rule("signal match", find_matches, (
        Plant("lib/units/a.cpp", "\nsd_bus_match_signal_async(bus, &slot, 0);\n", (2,)),
        Plant("daemon/keyturnd/a.cpp", "sd_bus_add_match(bus, &slot, 0);\n", (1,)),
        Plant(LISTENER, "sd_bus_add_match_async(bus, &slot, 0);\n"),
        Plant("lib/units/a.cpp", "// sd_bus_add_match(...)\n"),
    )),
    Rule("forgeable journal", find_forgeable_journal, (
        Plant("systemd/a.catalog", 'Look:\n"journalctl ROTATION' '_ID=x".\n', (2,)),
        Plant("systemd/a.catalog", '"journalctl\nROTATION' '_ID=x".\n', (1,)),
        Plant("config/README.md", "`journalctl -x TARGET" "_UNIT=x`\n", (1,)),
        Plant("systemd/a.catalog", '"journalctl -u keyturnd\nROTATION_ID=x".\n'),
        Plant("systemd/a.catalog", '"journalctl -u x" and "keyturnctl ROTATION_ID=x".\n'),
    )),
    Rule("polkit verbs", find_verbs, (
        plant_of_verbs('"restart", "stop"', 'call("RestartUnit");\n', 1),
        plant_of_verbs('"restart"', 'call("RestartUnit"); call("StopUnit");\n', 1),
        plant_of_verbs('"restart"', 'call("RestartUnit");\n'),
    )),
)
