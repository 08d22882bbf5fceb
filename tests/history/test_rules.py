"""For every rule: histories that follow it, and histories that break it."""

import pytest

from chronicle import NAMES, Judge, Policy
from fleet_stories import FLEET_BREAKS, FLEET_KEEPS
from stories import BREAKS, KEEPS
from telling import POLICY, entries


def judged(story):
    return Judge(Policy().with_words(POLICY)).read(entries(story))


@pytest.mark.parametrize("name", KEEPS)
def test_what_keeps_the_rules(name):
    assert [str(breach) for breach in judged(KEEPS[name])] == []


@pytest.mark.parametrize("rule, name", [(rule, name) for rule in BREAKS for name in BREAKS[rule]])
def test_what_breaks_a_rule(rule, name):
    breaches = judged(BREAKS[rule][name])
    assert rule in {breach.rule for breach in breaches}, [str(breach) for breach in breaches]


@pytest.mark.parametrize("rule, name", [(rule, name) for rule in BREAKS for name in BREAKS[rule]])
def test_a_rule_that_is_left_out_is_not_applied(rule, name):
    judge = Judge(Policy().with_words(POLICY), without=[rule])
    assert rule not in {breach.rule for breach in judge.read(entries(BREAKS[rule][name]))}


def test_every_rule_can_fail():
    assert set(BREAKS) | set(FLEET_BREAKS) == set(NAMES)


def test_every_rule_is_kept_by_a_history_that_could_break_it():
    applied = set()
    for story in [*KEEPS.values(), *FLEET_KEEPS.values()]:
        judge = Judge(Policy().with_words(POLICY))
        judge.read(entries(story))
        applied |= {rule for rule, number in judge.occasions.items() if number}
    assert applied == set(NAMES)
