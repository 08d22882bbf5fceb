"""A rule, and a breach of it."""

import dataclasses
import typing

from chronicle.entry import Entry


@dataclasses.dataclass(frozen=True)
class Rule:
    """`judge(story, event, policy)` returns a sentence when the event breaks the rule.

    It is asked for events of these kinds (none given: of every kind), before the story takes the
    event in. A rule that `looks_back` is not asked when the record begins within the rotation.
    """

    name: str
    sentence: str
    judge: typing.Callable
    kinds: frozenset = frozenset()
    looks_back: bool = True


@dataclasses.dataclass(frozen=True)
class Breach:
    """An entry that breaks a rule (None: the end), and its host if there are several."""

    rule: str
    text: str
    entry: Entry | None = None
    host: str = ""

    def __str__(self):
        place = "line %d: %s" % (self.entry.number, self.entry) if self.entry else "at the end"
        host = self.host.lstrip("0") and " on host %s" % self.host.lstrip("0")
        return "%s%s: %s: %s" % (place, host, self.rule, self.text)


def rule(name, sentence, *kinds, looks_back=True):
    """Make a rule of the function below."""
    return lambda judge: Rule(name, sentence, judge, frozenset(kinds), looks_back)
