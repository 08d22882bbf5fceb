"""What a rule is, and what it reports."""

import dataclasses
from collections.abc import Callable, Iterator


@dataclasses.dataclass(frozen=True, order=True)
class Violation:
    path: str
    line: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.sentence}"


@dataclasses.dataclass(frozen=True)
class Plant:
    """A file that breaks a rule in exactly these lines; without lines, a file that obeys it."""

    path: str
    text: str
    lines: tuple[int, ...] = ()
    executable: bool = False
    beside: tuple[tuple[str, str], ...] = ()  # Other files that the rule needs to see.


@dataclasses.dataclass(frozen=True)
class Rule:
    """A name, a finder of violations as (path, line, sentence), and plants that prove it works."""

    name: str
    find: Callable[..., Iterator[tuple[str, int, str]]]
    plants: tuple[Plant, ...]

    def check(self, tree) -> list[Violation]:
        return [Violation(path, line, self.name, text) for path, line, text in self.find(tree)]
