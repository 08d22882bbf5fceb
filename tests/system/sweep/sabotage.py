"""Does harm in the middle of a story, and expects that the checks see it."""

from scenario.journal import EVENT_IDS
from scenario.keyturn import TOKEN as TOKEN_OF

from sweep import calls, checks
from sweep.calls import Point

TOKEN = TOKEN_OF % "web"
LEFT_OVER = "%s/tokens/.web.keyturn-%s" % (checks.STATE, "0" * 32)
FIELDS = ("TUNNEL_NAME", "TUNNEL_ID", "ROTATION_ID", "TARGET_UNIT", "BATCH", "PHASE",
          "FINGERPRINT", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "MESSAGE", "PRIORITY")
# The harm is done in the middle of a rotation, when the new secret is kept. It is near this rename.
CALL, NEAR = "renameat", 9
SHORT_PATIENCE = 6.0
# Journald looks up itself which unit an entry is of, so its writer has to be there until then.
SAY_AS_KEYTURND = """
import os, socket, subprocess, sys
group = "/sys/fs/cgroup/system.slice/keyturnd.service"
os.makedirs(group, exist_ok=True)
with open(group + "/cgroup.procs", "w") as unit:
    unit.write(str(os.getpid()))
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.sendto(sys.stdin.buffer.read(), "/run/systemd/journal/socket")
subprocess.run(["journalctl", "--sync"], check=True)
"""


def shell(scenario, script, *words):
    """Run a script inside the host."""
    scenario.host.run("sh", "-c", script, "harm", *words)


def strange_rotation(scenario):
    """Let somebody else give the tunnel a secret that is known nowhere here."""
    scenario.cloudflare.rotate_by_hand()


def dead_api(scenario):
    """Let Cloudflare answer nothing any more."""
    scenario.cloudflare.fault("hang")


def told_twice(scenario):
    """Let the journal say once more that the last unit is restarted."""
    entry = scenario.journal.events("unit_restarting")[-1]
    text = "".join("%s=%s\n" % (name, entry[name]) for name in FIELDS if name in entry)
    scenario.host.run("python3", "-c", SAY_AS_KEYTURND, feed=text)
    assert EVENT_IDS["unit_restarting"] in text


def script(text, *words):
    """Return a harm that a shell script does."""
    return lambda scenario: shell(scenario, text, *words)


# What strace may see that nobody has thought about: it must not be passed over.
STRANGE_LOGS = {
    "a call that nobody has judged": "7 read(3, 0x1, 8) = 8\n7 pivot_root(0x1, 0x2) = 0\n",
    "a second thread": "7 write(3, 0x1, 8) = 8\n8 write(3, 0x1, 8) = 8\n",
    "nothing at all": "",
}
KNOWN_LOG = """7 openat(3, 0x1, O_RDONLY) = 4
7 write(4, 0x1, 8) = 8
7 openat(3, 0x1, O_WRONLY|O_CREAT, 0600) = 5
7 read(3, 0x1, 8) = 8
7 write(4, 0x1, 8) = ?
7 +++ killed by SIGKILL +++
"""
KNOWN_POINTS = ["write:1", "openat:2", "write:2"]


# name: (when, what is done, the check that has to see it)
HARMS = {
    "a token file cut in half": (
        "after_kill", script('truncate -s 100 "$1"', TOKEN), "token file"),
    "a token file of another tunnel's secret": (
        "after_kill", script('printf eyJzIjoiYSJ9 >"$1"', TOKEN), "token file"),
    "a token file that is gone": ("after_kill", script('rm "$1"', TOKEN), "token file"),
    "a pending file cut in half": (
        "after_kill", script('truncate -s 100 "$1"', checks.PENDING), "recoverable"),
    "a secret that nobody here knows": ("after_kill", strange_rotation, "recoverable"),
    "a file that others may read": ("after_kill", script('chmod 644 "$1"', TOKEN), "modes"),
    "a rotation that cannot end": ("after_kill", dead_api, "finished"),
    "one secret more": ("at_end", strange_rotation, "one secret"),
    "units with an old token": ("at_end", strange_rotation, "units"),
    "a staged file left over": ("at_end", script('touch "$1"', LEFT_OVER), "leftovers"),
    "a record of the end lost": (
        "at_end", script('sed -i "\\$d" "$1"', checks.HISTORY), "history file"),
    "a record of the end there twice": (
        "at_end", script('tail -n 1 "$1" >>"$1"', checks.HISTORY), "history file"),
    "a unit restarted twice": ("at_end", told_twice, "journal"),
}


def miscounted():
    """Return what is wrong with how calls are counted."""
    wrong = []
    for name, log in STRANGE_LOGS.items():
        try:
            calls.seen_calls(log)
            wrong.append(name)
        except calls.Unclear:
            pass
    points = calls.points_in("rotation", calls.seen_calls(KNOWN_LOG))
    if points != [calls.point_of(text) for text in KNOWN_POINTS]:
        wrong.append("the points %s" % ", ".join(map(str, points)))
    if sorted(calls.spread(points, 1), key=str) != sorted(points, key=str):
        wrong.append("a sample that has other points")
    return wrong


def middle(stage, killing):
    """Return a point where the new secret is kept and staged; a kill there does no harm."""
    for number in sorted(range(1, 2 * NEAR), key=lambda number: abs(number - NEAR)):
        point = Point("rotation", CALL, number)
        outcome = stage.play(point.story, [killing(point)])
        if outcome.complaints:
            raise calls.Unclear("%s goes wrong without harm: %s" % (
                point, "; ".join(map(str, outcome.complaints))))
        if outcome.kills and outcome.told == "secret_prepared":
            return point
    raise calls.Unclear("no %s comes right after secret_prepared" % CALL)


def self_test(stage, killing):
    """Do each harm once. Returns the exit status."""
    missed = miscounted()
    never = Point("rotation", CALL, 10**6)
    if stage.play(never.story, [killing(never)]).kills:
        missed.append("a kill was counted where none can be")
    point = middle(stage, killing)
    print("harm is done at %s" % point)
    stage.patience = SHORT_PATIENCE
    for name, (when, harm, check) in HARMS.items():
        outcome = stage.play(point.story, [killing(point)], **{when: harm})
        found = check in {complaint.check for complaint in outcome.complaints}
        print("%-8s %s: %s" % ("found" if found else "MISSED", name, "; ".join(
            map(str, outcome.complaints)) or "nothing"), flush=True)
        if not found:
            missed.append(name)
        stage.repair()
    print("%d kinds of harm, %d not found" % (len(HARMS) + len(STRANGE_LOGS), len(missed)))
    for name in missed:
        print("  " + name)
    return 1 if missed else 0
