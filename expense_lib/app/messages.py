"""Amounts, expenses and changes in words. Plain text: whoever shows it escapes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from expense_lib.domain.errors import FieldError
from expense_lib.domain.results import Change, Expense, Values, Version

UNEXPECTED = "Something unexpected went wrong. The app's log has it."
DONE = {
    "created": "added",
    "amended": "edited",
    "deleted": "deleted",
    "restored": "restored",
    "joined": "joined to what a bank told of",
    "held": "left to be decided",
    "merged": "made one with another",
    "split": "split",
}

_IN_OTHERS = ("occurrence", "refund")  # told by the expense's name, and by the amount's sign
_LONGEST = 80  # of a value in a sentence


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency, thousands apart: 1,234.50 USD."""
    return f"{amount:,} {currency}".strip()


def number(count: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 expense, 2,000 expenses."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def expense(each: Expense | Values, currency: str) -> str:
    """One expense as a person would name it: 12.50 USD, Food, Lunch, 2026-11-22, Giro, #trip."""
    nth = f"number {each.occurrence} of its kind that day" if each.occurrence > 1 else ""
    parts = (
        *(money(each.amount, currency), each.category, each.description, str(each.date), nth),
        *(each.account, *map(tag, each.tags)),
    )
    return ", ".join(part for part in parts if part)


def beside(each: Expense, date: dt.date, amount: Decimal) -> str:
    """An expense beside a payment of this date and amount: Lunch, 22 Nov; what is another is said."""
    year = "" if each.date.year == date.year else f" {each.date.year}"
    costs = "" if each.amount == amount else f", {each.amount:,}"
    return f"{each.description or each.category}, {each.date.day} {each.date:%b}{year}{costs}"


def tag(name: str) -> str:
    """A tag as it is shown: #trip."""
    return f"#{name}"


def differing(names: Sequence[str]) -> str:
    """The clause after an expense that is not as it was typed: "; its note and tags differ"."""
    if not names:
        return ""
    *others, last = names
    listed = f"{', '.join(others)} and {last}" if others else last
    differ = "differ" if others or last.endswith("s") else "differs"
    return f"; its {listed} {differ}"


def moment(at: dt.datetime) -> str:
    """A time as this machine's clock shows it, to the minute."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def history(versions: list[Version], currency: str) -> list[str]:
    """An expense's versions in words, the latest first."""
    return [f"{moment(each.at)} {changed(each, currency)}" for each in reversed(versions)]


def changed(version: Version | Change, currency: str) -> str:
    """One version or change in words: "edited: amount from 12.50 to 13.00"."""
    before, after = version.before, version.after
    if version.change == "amended" and before and after:
        return f"edited: {', '.join(_differences(before, after)) or 'its number among equal ones that day'}"
    seen = after or before
    return f"{DONE[version.change]}: {expense(seen, currency) if seen else 'nothing'}"


def _differences(before: Values, after: Values) -> Iterator[str]:
    for name in Values.model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new and name not in _IN_OTHERS:
            yield f"{name} from {_value(old)} to {_value(new)}"


def _value(value: object) -> str:
    """A field's value in a sentence, shortened."""
    text = " ".join(value) if isinstance(value, tuple) else str(value or "")
    return (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…") or "nothing"


def errors(found: Iterable[FieldError], fields: Sequence[str]) -> tuple[dict[str, str], str]:
    """A sentence for each of a form's *fields* that is wrong, and the rest of what is, in one text."""
    known = {field: f"{field.capitalize()} {why}." for field, why in found if field in fields}
    return known, "".join(f" {field} {why}." for field, why in found if field not in fields)
