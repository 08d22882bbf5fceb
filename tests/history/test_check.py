"""How histories and policies are read, and how the command answers."""

import json
import pathlib
import re
import subprocess

import pytest

from chronicle import Judge, Policy, Unreadable, Wrong, read_entries
from chronicle.entry import KINDS
from chronicle.policy import microseconds
from telling import POLICY, WHOLE, entries, journal, swap

HERE = pathlib.Path(__file__).resolve().parent
CHECK = HERE / "check"
EVENT_TABLE = HERE.parents[1] / "lib" / "journal" / "event.cpp"
BROKEN = swap(WHOLE, "+10 soak_ended", "+1 soak_ended 1/2")


def check(*arguments, story=None):
    feed = "\n".join(journal(story)) if story else ""
    return subprocess.run([CHECK, *arguments], input=feed, capture_output=True, text=True,
                          check=False, timeout=30)


def test_every_event_of_keyturnd_is_known():
    rows = re.findall(r'"(\w+)", "([0-9a-f]{32})"', EVENT_TABLE.read_text(encoding="utf-8"))
    assert {number: name for name, number in rows} == KINDS


def test_what_others_write_is_left_alone():
    lines = journal(WHOLE)
    stranger = json.dumps({"MESSAGE": "cfut_stranger", "SYSLOG_IDENTIFIER": "systemd"})
    assert len(read_entries(lines + ["", stranger])) == len(lines)


def test_text_that_is_not_utf_8_is_read():
    fields = json.loads(journal(WHOLE)[1])
    fields["MESSAGE"] = list(b"cfut_\xff123")
    fields["ODD"] = ["one", None]
    entry = read_entries([json.dumps(fields)])[0]
    assert entry["MESSAGE"] == "cfut_\ufffd123" and entry["ODD"] == "one\n"


def test_plain_lines_of_keyturnd_are_searched_for_secrets():
    fields = {"MESSAGE": "a loop ended: cfat_123", "SYSLOG_IDENTIFIER": "keyturnd"}
    breaches = Judge().read(read_entries([json.dumps(fields)]))
    assert [breach.rule for breach in breaches] == ["secrets"]
    assert "cfat_123" not in str(breaches[0])


@pytest.mark.parametrize("line", ["{", "[]", "7"])
def test_what_is_no_journal_is_not_read(line):
    with pytest.raises(Unreadable):
        read_entries([line])


@pytest.mark.parametrize("text, number", [
    ("0", 0), ("200ms", 200_000), ("10m", 600 * 10**6), ("1h 30min", 5400 * 10**6),
    ("1.5s", 1_500_000), ("30d", 30 * 86400 * 10**6)])
def test_durations(text, number):
    assert microseconds(text) == number


@pytest.mark.parametrize("word", ["soak=soon", "soak", "soke=1s", "canary=perhaps", "batches=two"])
def test_wrong_words_of_a_policy(word):
    with pytest.raises(Wrong):
        Policy().with_words([word])


def test_hosts_and_tunnels_are_judged_by_themselves():
    hosts = [line + " _MACHINE_ID=other" for line in WHOLE]
    tunnels = [line + " TUNNEL_NAME=other" for line in WHOLE[1:]]
    together = [line for pair in zip(WHOLE, hosts, WHOLE[:1] + tunnels) for line in pair]
    assert Judge().read(entries(together)) == []


def test_a_policy_in_the_history_is_that_of_its_tunnel():
    policy = json.dumps({"TUNNEL_NAME": "web", "POLICY": "soak=11s slack=0"})
    breaches = Judge(Policy().with_words(POLICY)).read(read_entries([policy, *journal(WHOLE)]))
    assert [breach.rule for breach in breaches] == ["soak_length"]


def test_a_soak_may_be_as_short_as_soak_min():
    assert Judge(Policy().with_words([*POLICY, "soak_min=1s"])).read(entries(BROKEN)) == []


def test_no_rule_is_applied_whose_value_nobody_gave():
    assert Judge().read(entries(BROKEN)) == []


def test_the_command_says_what_is_broken_and_where():
    done = check("-", "--policy", *POLICY, story=BROKEN)
    assert done.returncode == 1
    assert "-: line 10: 1009.000000 soak_ended (web 1/2): soak_length: only 1 s" in done.stdout
    assert done.stdout.endswith("14 events, 1 rotations, 43 rules, 1 breaches\n")


def test_the_command_is_content():
    assert check("-", "--policy", *POLICY, story=WHOLE).returncode == 0
    assert check("-", "--policy", *POLICY, "--without", "soak_length", story=BROKEN).returncode == 0


def test_the_command_counts_how_often_a_rule_was_applied():
    assert re.search(r"^soak_length +1$", check("-", "--count", story=WHOLE).stdout, re.MULTILINE)


def test_nothing_to_check_is_no_success():
    assert check("-").returncode == 2
    assert check("nowhere").returncode == 2
    assert check("-", "--policy", "soak=soon", story=WHOLE).returncode == 2
