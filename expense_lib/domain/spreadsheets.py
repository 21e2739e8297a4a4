"""Texts in a CSV file that spreadsheets would take for formulas, and run."""

from __future__ import annotations

import re

_SIGNS = "[=+\\-@\uff1d\uff0b\uff0d\uff20]"  # also as wide as an ideograph
_FORMULA = re.compile(f"'*{_SIGNS}")
_GUARDED = re.compile(f"''*{_SIGNS}")


def guarded(text: str) -> str:
    """*text* with an apostrophe in front, if it begins like a formula: OWASP's advice on CSV injection.

    Canonical texts do not begin with the white space that the advice names beside the four signs.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that ``guarded`` wrote, whatever it began with."""
    return text[1:] if _GUARDED.match(text) else text
