"""One figure of the table, and how the table, the JSON file and the plot are written."""

import dataclasses
import json
import pathlib

WIDTHS = (44, 12, 12, 5)
PLOT = """<svg xmlns="http://www.w3.org/2000/svg" width="640" height="300" font-family="sans-serif"
 font-size="12"><rect width="640" height="300" fill="white"/>
<text x="20" y="20">%(title)s</text>
<path d="M60 250H620M60 250V40" stroke="black" fill="none"/>
%(marks)s
<polyline points="%(line)s" fill="none" stroke="#d63" stroke-width="2"/>
</svg>
"""


@dataclasses.dataclass
class Figure:
    """A measured value, what it has to stay under, and what stands beside it."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    beside: dict = dataclasses.field(default_factory=dict)  # Name to value, in the same unit.

    def met(self):
        """Return whether the value is within its limit; True without one."""
        return self.at_most is None or self.value <= self.at_most

    def line(self):
        """Return the figure as a line of the table."""
        limit = "" if self.at_most is None else number(self.at_most)
        verdict = "" if self.at_most is None else "ok" if self.met() else "OVER"
        columns = (self.name, "%s %s" % (number(self.value), self.unit), limit, verdict)
        beside = ", ".join("%s %s" % (what, number(value)) for what, value in self.beside.items())
        padded = "".join(text.ljust(width) for text, width in zip(columns, WIDTHS))
        return (padded + beside).rstrip()


def number(value):
    """Return a number with three digits that count."""
    return "%d" % round(value) if value >= 100 else "%.3g" % value


def header():
    """Return the line above the table."""
    names = ("", "keyturn", "at most", "")
    return "".join(name.ljust(width) for name, width in zip(names, WIDTHS)) + "beside it"


def write_json(path, machine, figures):
    """Write what was measured, for programs."""
    pathlib.Path(path).write_text(json.dumps(
        {"machine": machine, "figures": [dataclasses.asdict(figure) for figure in figures]},
        indent=2) + "\n")


def write_plot(path, title, points):
    """Write a plot of (tunnels, value) as SVG."""
    widest = max(x for x, _ in points)
    highest = max(y for _, y in points)
    places = [(60 + 540 * x / widest, 250 - 190 * y / highest) for x, y in points]
    marks = "".join(
        '<circle cx="%.0f" cy="%.0f" r="3" fill="#d63"/><text x="%.0f" y="%.0f">%s</text>'
        '<text x="%.0f" y="268">%d</text>\n' % (
            px, py, px - 24, py - 8, number(y), px - 10, x)
        for (px, py), (x, y) in zip(places, points))
    pathlib.Path(path).write_text(PLOT % {
        "title": title, "marks": marks, "line": " ".join("%.0f,%.0f" % place for place in places)})
