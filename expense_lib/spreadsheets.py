"""Texts in a CSV file that spreadsheets would take for formulas, and run."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@]")
_GUARDED = re.compile(r"''*[=+\-@]")


def guarded(text: str) -> str:
    """*text* with an apostrophe in front, if it begins like a formula: OWASP's advice on CSV injection.

    Canonical texts do not begin with the white space that the advice names beside the four signs.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that ``guarded`` wrote, whatever it began with."""
    return text[1:] if _GUARDED.match(text) else text
