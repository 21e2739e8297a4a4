"""Amounts as banks write them: ``1.234,56``, ``11'373.94``, ``(65,000.00)``, ``+ $1,234.00``, ``12 CR``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from expense_lib.domain.errors import FieldError, StatementUnclear
from expense_lib.domain.money import MAX_SIGNIFICANT_DIGITS

_SPACES = dict.fromkeys(map(ord, "\xa0\u2007\u2009\u202f\t"), " ")
_SIGNS = {ord("\u2212"): "-", ord("\u2012"): "-", ord("\u2013"): "-", ord("\u2019"): "'", ord("\u02bc"): "'"}
_SAME = str.maketrans(_SPACES | _SIGNS)

_PLAIN = re.compile(r"-?[0-9]{1,13}\.[0-9]{2}").fullmatch
_NUMERAL = re.compile(r"[0-9][0-9.,' ]*|(?<![A-Za-z])[.,][0-9]+")
_SIDE = re.compile(r"(?i)(?:^|(?<=[ )-]))[(\[]?(CR|DR|C|D|H|S)\.?[)\]]?$")
_SIDE_BEFORE = re.compile(r"(?i)^(CR|DR)\.?(?![A-Za-z])")
_CREDIT = ("CR", "C", "H")
# Beside ISO 4217's codes in capitals, what is written with a currency's sign, or without one.
_ABBREVIATIONS = {
    *("kr", "fr", "rs", "r", "zł", "zl", "kč", "kc", "lei", "ft", "din"),
    *("us", "a", "au", "c", "ca", "nz", "hk", "s"),
}
MAX_LENGTH = 60


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
    found = _NUMERAL.search(text) if len(text) <= MAX_LENGTH else None
    if found is None:
        return None
    numeral = found[0].rstrip(" '")
    before, after = text[: found.start()].strip(), text[found.start() + len(numeral) :].strip()
    side = _SIDE.search(after) or _SIDE_BEFORE.search(before)
    if side is not None and side.string is after:
        after = after[: side.start()].strip()
    elif side is not None:
        before = before[side.end() :].strip()
    in_brackets = before.count("(") == after.count(")") == 1
    if in_brackets:
        before, after = before.replace("(", "").strip(), after.replace(")", "").strip()
    signs = [character for character in before + after if character in "+-"]
    money = [part.replace("-", "").replace("+", "").strip() for part in (before, after)]
    if len(signs) + in_brackets > 1 or all(money) or not all(map(_is_currency, money)):
        return None
    said = "" if side is None else "C" if side[1].upper() in _CREDIT else "D"
    return in_brackets or "-" in signs, numeral, said


def _is_currency(text: str) -> bool:
    """It is nothing, a currency's code or its sign, as ``USD``, ``Fr.``, ``R$`` or ``€``."""
    letters = "".join(character for character in text if unicodedata.category(character) != "Sc").strip()
    if not letters or (len(letters) == 3 and letters.isascii() and letters.isalpha() and letters.isupper()):
        return len(text) <= 4
    return letters.casefold().rstrip(".") in _ABBREVIATIONS


def _is_whole(whole: str, decimal: str, mark: str) -> bool:
    """The digits before the fraction, in groups of three if in any, or as in India: 1,23,456."""
    if not whole or whole.isdigit():
        return bool(whole) or bool(mark)
    first, *middle, last = re.split(r"[.,' ]", whole)
    between = set(re.sub("[0-9]", "", whole))
    widths = {len(group) for group in middle}
    return (
        len(between) == 1
        and decimal not in between
        and not first.startswith("0")
        and len(last) == 3
        and ((widths <= {3} and 1 <= len(first) <= 3) or (widths == {2} and 1 <= len(first) <= 2))
    )
