"""Checks the events of keyturnd against the rules that every history must follow."""

from chronicle.entry import Unreadable, read_entries
from chronicle.judge import NAMES, RULES, Judge
from chronicle.policy import Policy, Wrong

__all__ = ["Judge", "NAMES", "Policy", "RULES", "Unreadable", "Wrong", "read_entries"]
