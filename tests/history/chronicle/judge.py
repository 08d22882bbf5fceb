"""Reads the entries of any number of hosts in order and reports what breaks a rule."""

import collections
import dataclasses

from chronicle import chapter_rules, entry_rules, fleet_rules, roll_rules, token_rules
from chronicle.policy import Policy
from chronicle.rule import Breach, Rule
from chronicle.story import Story
from chronicle.told import OF_THE_TUNNEL, WAITS

CLOCK = Rule("clock", "Within a boot, time never goes back.", None)
RULES = (CLOCK, *entry_rules.RULES, *token_rules.RULES, *roll_rules.RULES, *chapter_rules.RULES,
         *fleet_rules.RULES)
NAMES = tuple(rule.name for rule in RULES)


class End:
    """The event that the rules judge after the last entry."""

    kind = "end"


class Start:
    """The event that a story takes in when another host of the fleet goes on with it."""

    kind = "daemon_started"


class Host:
    """What is known of one host; of a fleet: of all its hosts."""

    def __init__(self):
        self.boot = ""
        self.at = 0
        self.stories = {}
        self.policies = {}


class Judge:
    """`occasions` counts how often each rule was applied.

    `fleet`: all hosts tell one story of each tunnel. The one that leads tells it; when it dies,
    another one goes on with it, as it would itself after a start. Their clocks must agree.
    """

    def __init__(self, policy=Policy(), without=(), fleet=False):
        self._policy = policy
        self._rules = [rule for rule in RULES if rule.name not in without]
        self._hosts = collections.defaultdict(Host)
        self._several = False
        self._fleet = Host() if fleet else None
        self._tellers = {}  # Of a fleet: tunnel to the host that told of its rotation last.
        self.occasions = collections.Counter({name: 0 for name in NAMES})
        self.events = 0
        self.rotations = 0

    def read(self, entries):
        """Return the breaches in these entries and at their end."""
        self._several = len({entry.machine for entry in entries}) > 1
        if self._fleet:
            entries = sorted(entries, key=lambda entry: entry.wall)
        breaches = [breach for entry in entries for breach in self.take(entry)]
        return breaches + self.end()

    def take(self, entry):
        """Take one entry and return the rules that it breaks."""
        host = self._fleet or self._hosts[entry.machine]
        if entry["POLICY"]:
            words = entry["POLICY"].split()
            host.policies[entry.tunnel] = self._policy.with_words(words)
            return []
        self.events += bool(entry.kind)
        self.rotations += entry.kind == "rotation_started"
        breaches = self._clock(self._hosts[entry.machine], entry)
        if self._fleet:
            entry.at = entry.wall
        story = host.stories.get(entry.tunnel)
        if entry.tunnel and story is None:
            story = host.stories[entry.tunnel] = Story()
        policy = host.policies.get(entry.tunnel, self._policy)
        teller = self._tellers.get(entry.tunnel, entry.machine)
        if entry.machine != teller and entry.kind in WAITS:
            story = None  # It may not know yet that another host leads.
        elif self._fleet and story and entry.kind and entry.kind not in OF_THE_TUNNEL:
            self._tellers[entry.tunnel] = entry.machine
            if entry.machine != teller:
                story.take(Start)
        breaches += self._ask(story, entry, policy)
        if entry.kind == "daemon_started":
            for name, every in host.stories.items():
                if self._tellers.get(name, entry.machine) == entry.machine:
                    every.take(entry)
        elif story:
            story.take(entry)
        return self._named(entry.host if self._fleet else entry.machine, breaches)

    def end(self):
        """Return the breaches at the end of the record."""
        breaches = []
        hosts = {"": self._fleet} if self._fleet else self._hosts
        for machine, host in hosts.items():
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
