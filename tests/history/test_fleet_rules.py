"""Histories of a fleet that follow the rules, and some that break them."""

import pytest

from chronicle import Judge, Policy
from fleet_stories import FLEET_BREAKS, FLEET_KEEPS, FLEET_POLICY
from telling import entries


def judged(story):
    return Judge(Policy().with_words(FLEET_POLICY), fleet=True).read(entries(story))


@pytest.mark.parametrize("name", FLEET_KEEPS)
def test_what_keeps_the_rules(name):
    assert [str(breach) for breach in judged(FLEET_KEEPS[name])] == []


@pytest.mark.parametrize("rule, name", [(rule, name) for rule in FLEET_BREAKS
                                        for name in FLEET_BREAKS[rule]])
def test_what_breaks_a_rule(rule, name):
    breaches = judged(FLEET_BREAKS[rule][name])
    assert rule in {breach.rule for breach in breaches}, [str(breach) for breach in breaches]


def test_the_host_that_breaks_a_rule_is_named():
    breaches = judged(FLEET_BREAKS["alone"]["another host's unit is down"])
    assert any(" on host beta: alone: " in str(breach) for breach in breaches)
