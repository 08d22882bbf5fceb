"""Reads the entries of any number of hosts in order and reports what breaks a rule."""

import collections
import dataclasses

from chronicle import chapter_rules, entry_rules, roll_rules, token_rules
from chronicle.policy import Policy
from chronicle.rule import Breach, Rule
from chronicle.story import Story

CLOCK = Rule("clock", "Within a boot, time never goes back.", None)
RULES = (CLOCK, *entry_rules.RULES, *token_rules.RULES, *roll_rules.RULES, *chapter_rules.RULES)
NAMES = tuple(rule.name for rule in RULES)


class End:
    """The event that the rules judge after the last entry."""

    kind = "end"


class Host:
    """What is known of one host."""

    def __init__(self):
        self.boot = ""
        self.at = 0
        self.stories = {}
        self.policies = {}


class Judge:
    """`occasions` counts how often each rule was applied."""

    def __init__(self, policy=Policy(), without=()):
        self._policy = policy
        self._rules = [rule for rule in RULES if rule.name not in without]
        self._hosts = collections.defaultdict(Host)
        self._several = False
        self.occasions = collections.Counter({name: 0 for name in NAMES})
        self.events = 0
        self.rotations = 0

    def read(self, entries):
        """Return the breaches in these entries and at their end."""
        self._several = len({entry.machine for entry in entries}) > 1
        breaches = [breach for entry in entries for breach in self.take(entry)]
        return breaches + self.end()

    def take(self, entry):
        """Take one entry and return the rules that it breaks."""
        host = self._hosts[entry.machine]
        if entry["POLICY"]:
            words = entry["POLICY"].split()
            host.policies[entry.tunnel] = self._policy.with_words(words)
            return []
        self.events += bool(entry.kind)
        self.rotations += entry.kind == "rotation_started"
        breaches = self._clock(host, entry)
        story = host.stories.get(entry.tunnel)
        if entry.tunnel and story is None:
            story = host.stories[entry.tunnel] = Story()
        policy = host.policies.get(entry.tunnel, self._policy)
        breaches += self._ask(story, entry, policy)
        if entry.kind == "daemon_started":
            for every in host.stories.values():
                every.take(entry)
        elif story:
            story.take(entry)
        return self._named(entry.machine, breaches)

    def end(self):
        """Return the breaches at the end of the record."""
        breaches = []
        for machine, host in self._hosts.items():
            for name, story in host.stories.items():
                policy = host.policies.get(name, self._policy)
                breaches += self._named(machine, self._ask(story, End, policy))
        return breaches

    def _named(self, host, breaches):
        """Name the host in each breach if there are several."""
        if not self._several:
            return breaches
        return [dataclasses.replace(breach, host=host) for breach in breaches]

    def _clock(self, host, entry):
        went_back = entry.boot == host.boot and entry.at < host.at
        before, host.boot, host.at = host.at, entry.boot, entry.at
        if CLOCK not in self._rules:
            return []
        self.occasions[CLOCK.name] += 1
        text = "the previous entry is from %.6f" % (before / 1e6)
        return [Breach(CLOCK.name, text, entry)] if went_back else []

    def _ask(self, story, event, policy):
        breaches = []
        for rule in self._rules:
            meant = event.kind in rule.kinds or (not rule.kinds and event is not End)
            if rule is CLOCK or not meant:
                continue
            if rule.looks_back and (story is None or story.partial):
                continue
            self.occasions[rule.name] += 1
            text = rule.judge(story, event, policy)
            if text:
                breaches.append(Breach(rule.name, text, None if event is End else event))
        return breaches
