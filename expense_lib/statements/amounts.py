"""Amounts as banks write them: ``1.234,56``, ``11'373.94``, ``(65,000.00)``, ``+ $1,234.00``, ``12 CR``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from expense_lib.errors import FieldError, StatementUnclear
from expense_lib.money import MAX_SIGNIFICANT_DIGITS

_SPACES = dict.fromkeys(map(ord, "\xa0\u2007\u2009\u202f\t"), " ")
_SIGNS = {ord("\u2212"): "-", ord("\u2012"): "-", ord("\u2013"): "-", ord("\u2019"): "'", ord("\u02bc"): "'"}
_SAME = str.maketrans(_SPACES | _SIGNS)

_PLAIN = re.compile(r"-?[0-9]{1,13}\.[0-9]{2}").fullmatch
_NUMERAL = re.compile(r"[0-9][0-9.,' ]*|[.,][0-9]+")
_CREDIT, _DEBIT = ("CR", "C", "H"), ("DR", "D", "S")


class Amount(NamedTuple):
    """``units / 10 ** digits``, with the sign that is written. *side*: "D" or "C" if the text says which."""

    units: int
    digits: int
    side: str = ""


def read(text: str, decimal: str) -> Amount | None:
    """The amount that *text* writes, exactly, or None if it is none.

    Args:
        text: An amount, perhaps with a currency before or after it, a sign on either side, brackets for a
            negative one, groups of digits, or DR or CR.
        decimal: What separates the fraction, a point or a comma. The other one can only group.
    """
    if decimal == "." and _PLAIN(text):
        return Amount(int(text.replace(".", "", 1)), 2)
    parts = _parts(text)
    if parts is None:
        return None
    negative, numeral, side = parts
    whole, mark, fraction = numeral.rpartition(decimal)
    if not mark:
        whole, fraction = numeral, ""
    if not (fraction.isdigit() or not fraction) or not _is_whole(whole, decimal, mark):
        return None
    digits = re.sub("[^0-9]", "", whole) + fraction
    if (
        not digits
        or len(digits.lstrip("0")) > MAX_SIGNIFICANT_DIGITS
        or len(fraction) > MAX_SIGNIFICANT_DIGITS
    ):
        return None
    units = int(digits)
    return Amount(-units if negative else units, len(fraction), side)


def decimal_mark(texts: Iterable[str], *, grouped: bool = True) -> str | None:
    """What separates the fraction in all these amounts, or None if they leave it open.

    Args:
        texts: Amounts; others are passed over.
        grouped: Whether a lone ``1,234`` may be a thousand and more. If not, its mark is a decimal's.
    """
    votes = {".": 0, ",": 0}
    is_open = False
    for text in texts:
        parts = _parts(text)
        if parts is None:
            continue
        numeral = parts[1]
        marks = [character for character in numeral if character in votes]
        if not marks:
            continue
        last, other = marks[-1], "," if marks[-1] == "." else "."
        after = len(numeral) - numeral.rindex(last) - 1
        if other in marks:
            votes[last] += 1
        elif len(marks) > 1:
            votes[other] += 1
        elif after != 3 or not 1 <= len(numeral) - 4 <= 3 or numeral[0] == "0" or not grouped:
            votes[last] += 1
        else:
            is_open = True
    if votes["."] != votes[","]:
        return max(votes, key=lambda mark: votes[mark])
    return None if is_open or votes["."] else "."


def ask_for_decimal_mark() -> StatementUnclear:
    """The error that asks for it."""
    message = "must be said: the amounts could be in thousands or have three fraction digits; . or ,"
    return StatementUnclear([FieldError("decimal", message)], (".", ","))


def _parts(text: str) -> tuple[bool, str, str] | None:
    """Whether it is negative, the digits with what stands between them, and its side. None if it is none."""
    text = text.translate(_SAME).strip()
    found = _NUMERAL.search(text)
    if found is None:
        return None
    numeral = found[0].rstrip(" '")
    before, after = text[: found.start()].strip(), text[found.start() + len(numeral) :].strip()
    negative = before.startswith("(") and after.endswith(")")
    if negative:
        before, after = before[1:].strip(), after[:-1].strip()
    side = ""
    if after.upper() in _CREDIT or after.upper() in _DEBIT:
        side, after = "C" if after.upper() in _CREDIT else "D", ""
    signs = [character for character in before + after if character in "+-"]
    rest_before, rest_after = (part.replace("-", "").replace("+", "").strip() for part in (before, after))
    if len(signs) > 1 or (negative and signs) or not (_is_currency(rest_before) and _is_currency(rest_after)):
        return None
    if rest_before and rest_after:
        return None
    return negative or "-" in signs, numeral, side


def _is_currency(text: str) -> bool:
    """It is nothing, a currency's code or its sign, as ``USD``, ``Fr.``, ``R$`` or ``€``."""
    letters = "".join(character for character in text if unicodedata.category(character) != "Sc")
    return len(text) <= 5 and re.fullmatch(r"(?:[^\W\d_]{1,3}\.?)?", letters.strip()) is not None


def _is_whole(whole: str, decimal: str, mark: str) -> bool:
    """The digits before the fraction, perhaps in groups of three (or two, but for the last: 1,23,456)."""
    if not whole or whole.isdigit():
        return bool(whole) or bool(mark)
    groups = re.split(r"[.,' ]", whole)
    between = set(re.sub("[0-9]", "", whole))
    return (
        len(between) == 1
        and decimal not in between
        and 1 <= len(groups[0]) <= 3
        and len(groups[-1]) == 3
        and all(len(group) in (2, 3) for group in groups[1:])
    )
