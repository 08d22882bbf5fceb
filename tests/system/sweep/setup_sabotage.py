"""Does harm in the middle of a setup, and expects that the checks see it."""

from sweep import calls, setup_calls
from sweep.calls import Point
from sweep.sabotage import miscounted

STORY = "file-setup"
UNIT = "cloudflared.service"
DROP_IN = "/etc/systemd/system/%s.d/zz-keyturn.conf" % UNIT
TOKEN = "/etc/cloudflared/token"
POLICY = "/etc/keyturn/keyturn.d/web.yaml"
# Setup shows how it changes this one.
RULE = "/etc/polkit-1/rules.d/50-keyturn.rules"
# It stays until journald has noted whose line that is.
SAY_AS_KEYTURND = """
echo $$ >/sys/fs/cgroup/system.slice/keyturnd.service/cgroup.procs
exec systemd-cat sh -c 'echo "$1"
for _ in $(seq 100); do
    journalctl --quiet --output=cat _SYSTEMD_UNIT=keyturnd.service | grep -qF "$1" && exit
    sleep 0.1
done' say "$1"
"""
STARTED = '["systemd-creds", "encrypt", '
BROKEN = "/run/systemd/system/%s.d/zzz.conf" % UNIT
SHORT_PATIENCE = 8.0


def script(text, *words):
    """Return a harm that a shell script does."""
    return lambda stage: stage.stock.host.run("sh", "-c", text, "harm", *words)


def strange_rotation(stage):
    """Let somebody else give the tunnel a secret that is known nowhere here."""
    stage.stock.cloudflare.rotate_by_hand()


def with_token(text, *words):
    """Return a harm that a shell script does with the tunnel's token, its first word."""
    return lambda stage: stage.stock.host.run(
        "sh", "-c", text, "harm", stage.stock.cloudflare.current()["token"], *words)


# name: (when, what is done, the check that has to see it)
HARMS = {
    "half a drop-in": ("after_kill", script('truncate -s 40 "$1"', DROP_IN), "whole files"),
    "a file of the operator that is gone": (
        "after_kill", script('rm "$1"', TOKEN), "whole files"),
    "a token that others may read": ("after_kill", script('chmod 644 "$1"', TOKEN), "modes"),
    "a token in the output": ("after_kill", with_token('echo "// $1" >>"$2"', RULE), "secrets"),
    "a token in the journal": ("at_end", with_token(SAY_AS_KEYTURND), "secrets"),
    "a unit that does not start": (
        "after_kill", script('printf "[Service]\\nExecStartPre=/bin/false\\n" >"$1" && '
                             "systemctl daemon-reload", BROKEN), "starts"),
    "a unit that starts with a token of nobody": ("after_kill", strange_rotation, "starts"),
    "a policy that cannot be read": (
        "after_kill", script('echo "x: [" >"$1"', POLICY), "finished"),
    "a temporary file left over": (
        "at_end", script('touch "$1"', "/etc/keyturn/.web.yaml.keyturn"), "leftovers"),
    "another policy": ("at_end", script('echo "# more" >>"$1"', POLICY), "as undisturbed"),
    "a wider policy": ("at_end", script('chmod 666 "$1"', POLICY), "as undisturbed"),
    "a stopped keyturnd": ("at_end", script("systemctl stop keyturnd"), "as undisturbed"),
    "a drop-in that systemd has not read": (
        "at_end", script('touch "$1"', DROP_IN), "as undisturbed"),
    "a connector with an old token": ("at_end", strange_rotation, "serves"),
    "a byte more in a file of the operator": (
        "after_undo", script('echo >>"$1"', TOKEN), "undone"),
    "a drop-in left over": (
        "after_undo", script('mkdir -p "$(dirname "$1")" && touch "$1"', DROP_IN), "undone"),
}
STRANGE_LOG = "clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 7\n"
KNOWN_LOG = """connect(8<socket:[1]>, {sa_family=AF_UNIX}, 30) = 0
sendmsg(8<socket:[1]>, {msg_iov=[{iov_base="\\0GetAll\\0"}]}, 0) = 9
openat(AT_FDCWD</>, "/etc/x", O_RDONLY) = 4
unlink("/etc/keyturn/.web.yaml.keyturn") = -1 ENOENT
openat(AT_FDCWD</>, "/etc/keyturn/.web.yaml.keyturn", O_WRONLY|O_CREAT, 0600) = 5
write(8<socket:[1]>, "x", 1) = 1
write(5</etc/keyturn/.web.yaml.keyturn>, "x", 1) = 1
clone3({flags=CLONE_VM|CLONE_VFORK}, 88) = 7
poll([], 3, 90000) = 1
poll([], 3, 90000) = 1
sendmsg(8<socket:[1]>, {msg_iov=[{iov_base="\\0Rotate\\0"}]}, 0) = 9
sendmsg(8<socket:[1]>, {msg_iov=[{iov_base="\\0GetAll\\0"}]}, 0) = 9
"""
KNOWN_POINTS = [("unlink", 1, "web.yaml"), ("openat", 2, "web.yaml"), ("write", 2, "web.yaml"),
                ("clone3", 1, "command 1"), ("poll", 1, "command 1"), ("sendmsg", 2, "keyturnd"),
                ("sendmsg", 3, "keyturnd")]


def miscounted_here():
    """Return what is wrong with how the calls of keyturn-setup are counted."""
    wrong = miscounted()
    try:
        setup_calls.points_in(STORY, calls.seen_calls(STRANGE_LOG))
        wrong.append("a thread that nobody follows")
    except calls.Unclear:
        pass
    points = setup_calls.points_in(STORY, calls.seen_calls(KNOWN_LOG))
    if [(point.call, point.number, point.step) for point in points] != KNOWN_POINTS:
        wrong.append("the points %s" % ", ".join(map(str, points)))
    if sorted(map(str, setup_calls.covering(points, 1))) != sorted(map(str, points)):
        wrong.append("a sample that has other points")
    return wrong


def self_test(stage, killing):
    """Do each harm once. Returns the exit status."""
    missed = miscounted_here()
    counted = stage.play(STORY, [setup_calls.TRACE_ALL])
    if counted.complaints:
        raise calls.Unclear("%s goes wrong without harm: %s" % (
            STORY, "; ".join(map(str, counted.complaints))))
    if STARTED not in stage.commands:
        missed.append("what keyturn-setup starts")
    never = Point(STORY, "rename", 10**6)
    if stage.play(STORY, [killing(never)]).kills:
        missed.append("a kill was counted where none can be")
    point = [point for point in setup_calls.points_in(STORY, calls.seen_calls(counted.log))
             if point.call == "clone3"][-1]
    print("harm is done at %s" % point)
    stage.patience = SHORT_PATIENCE
    for name, (when, harm, check) in HARMS.items():
        outcome = stage.play(STORY, [killing(point)], **{when: harm})
        found = outcome.kills and check in {complaint.check for complaint in outcome.complaints}
        print("%-8s %s: %s" % ("found" if found else "MISSED", name, "; ".join(
            map(str, outcome.complaints)) or "nothing"), flush=True)
        if not found:
            missed.append(name)
        stage.stock.host.run("rm", "-f", BROKEN)
    print("%d kinds of harm, %d not found" % (len(HARMS), len(missed)))
    for name in missed:
        print("  " + name)
    return 1 if missed else 0
