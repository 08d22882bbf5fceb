"""Kills keyturnd at its system calls, and judges what is left: the parts of ../kill_sweep."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "sandbox" / "scenario"), str(TESTS / "history")]
