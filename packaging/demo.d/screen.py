"""What the demo prints, on a terminal and on a pipe."""

import os
import shutil
import sys
import textwrap

# The bottom line is never wider.
BOTTOM_WIDTH = 64
# Of a fact on a pipe.
FACT_WIDTH = 100


class Screen:
    """Lines, and on a terminal one line at the bottom that changes."""

    def __init__(self, output=sys.stdout):
        self._output = output
        self.terminal = output.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.colour = self.terminal and not os.environ.get("NO_COLOR")
        self._bottom = ""
        self._drawn = False
        self._line_ended = True

    def paint(self, code, text):
        """Return the text in a colour, where there are colours."""
        return "\x1b[%sm%s\x1b[0m" % (code, text) if self.colour else text

    def bold(self, text):
        """Return the text, emphasized."""
        return self.paint("1", text)

    def faint(self, text):
        """Return the text, as something of less importance."""
        return self.paint("2", text)

    def good(self, text):
        """Return the text in green."""
        return self.paint("32", text)

    def bad(self, text):
        """Return the text in red."""
        return self.paint("1;31", text)

    def raw(self, text):
        """Write what another program wrote, above the bottom line."""
        erase = self._erase()
        self._line_ended = text.endswith("\n") if text else self._line_ended
        self._write(erase + text + self._draw())

    def line(self, text=""):
        """Write one line."""
        self.raw(text + "\n")

    def heading(self, text):
        """Begin a new part."""
        self.line("\n" + self.bold(text))

    def command(self, text):
        """Show what an operator would type."""
        self.line("\n" + self.faint("$ ") + self.bold(text))

    def fact(self, name, value):
        """Write a name and its value in columns."""
        columns = shutil.get_terminal_size().columns if self.terminal else FACT_WIDTH
        self.line(textwrap.fill("%-18s %s" % (name, value), columns, initial_indent="  ",
                                subsequent_indent=" " * 21, break_long_words=False))

    def way_to(self, name, command):
        """Write a name and a command to copy, which therefore stays on one line."""
        self.line("  %-18s %s" % (name, command))

    def bottom(self, text):
        """Change the bottom line; '' removes it. On a pipe there is none."""
        if not self.terminal or text == self._bottom:
            return
        if shutil.get_terminal_size().columns < BOTTOM_WIDTH:
            text = ""  # It would take two lines, of which only one could be erased.
        erase = self._erase()
        self._bottom = text
        self._write(erase + self._draw())

    def _erase(self):
        # The cursor rests at the start of the bottom line, where the line above it ended.
        drawn, self._drawn = self._drawn, False
        return "\r\x1b[K" if drawn else ""

    def _draw(self):
        # Not behind half a line, such as a question: the rest of it is still to come.
        self._drawn = bool(self._bottom) and self._line_ended
        return self._bottom + "\r" if self._drawn else ""

    def _write(self, text):
        self._output.write(text)
        self._output.flush()


def number(value):
    """Return a count as people write it."""
    return "{:,}".format(value)


def traffic_text(screen, status):
    """Return the traffic so far as one line."""
    failed = status.get("failed", 0)
    shown = screen.good("0 failed") if not failed else screen.bad("%s failed" % number(failed))
    p99 = status.get("classes", {}).get("fast", {}).get("p99_ms")
    return "  traffic  %s served   %s%s" % (
        number(status.get("ok", 0)), shown, "   p99 %.0f ms" % p99 if p99 else "")
