"""Rows of a store as the models that callers get, with amounts in the ledger's currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from expense_lib.domain.content import Content
from expense_lib.domain.expense import fields_of
from expense_lib.domain.money import Currency
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    LogEntry,
    Part,
    Summary,
    Undecided,
    Values,
    Version,
)
from expense_lib.domain.rows import Entry, Row, Sum

if TYPE_CHECKING:
    from expense_lib.rules.undecided import Doubt


def expense(row: Row, currency: Currency) -> Expense:
    """An expense as it is."""
    values = _values(row.content, currency)
    values["id"], values["dedup_key"], values["version"] = row.id, row.dedup_key, row.version
    values["created_at"] = values["updated_at"] = dt.datetime.fromisoformat(row.created_at)
    if row.version > 1:
        values["updated_at"] = dt.datetime.fromisoformat(row.updated_at)
    if row.part_of is not None or row.whole_minor is not None:
        values["part_of"] = row.part_of
        values["whole"] = None if row.whole_minor is None else currency.from_minor(row.whole_minor)
    return Expense.model_validate(values)


def category(name: str, total: Sum, currency: Currency) -> CategoryTotal:
    """A category or an account with what is spent in it."""
    return CategoryTotal(name=name, count=total.count, total=currency.from_minor(total.total_minor))


def summary(parts: list[tuple[Mapping[str, str], Sum]], total: Sum, currency: Currency) -> Summary:
    """Sums by what each part is of, and what all come to."""
    return Summary(
        items=tuple(
            Part(**names, count=part.count, total=currency.from_minor(part.total_minor))
            for names, part in parts
        ),
        count=total.count,
        total=currency.from_minor(total.total_minor),
        currency=currency.code,
    )


def version(entry: Entry, currency: Currency) -> Version:
    """An entry of the log as part of one expense's history."""
    return Version(version=entry.version, **_parts(entry, currency))


def log_entry(entry: Entry, dedup_key: str, currency: Currency) -> LogEntry:
    """An entry of the log as part of the ledger's."""
    return LogEntry(
        seq=entry.seq,
        number=entry.number,
        expense_id=entry.expense_id,
        dedup_key=dedup_key,
        version=entry.version,
        **_parts(entry, currency),
    )


def change(first: Entry, count: int, currency: Currency, rule: str | None = None) -> Change:
    """A change of so many log entries, by its first; or of a rule."""
    said = _parts(first, currency)
    return Change(number=first.number, count=count, expense_id=first.expense_id, rule=rule, **said)


def undecided(doubt: Doubt, currency: Currency) -> Undecided:
    """What is to be decided about an expense."""
    values = _values(doubt.row.content, currency)
    names = ("date", "amount", "category", "description", "account")
    return Undecided(
        id=doubt.row.id,
        kind=doubt.kind,
        candidates=tuple(doubt.candidates),
        why=doubt.why,
        **{name: values[name] for name in names},
    )


def _parts(entry: Entry, currency: Currency) -> dict[str, Any]:
    return {
        "change": entry.kind,
        "at": entry.at,
        "by": entry.actor,
        "before": _side(entry.before, entry, currency),
        "after": _side(entry.after, entry, currency),
    }


def _side(content: Content | None, entry: Entry, currency: Currency) -> Values | None:
    """What an entry says of one side of a change; None if there is nothing."""
    if content is None or entry.kind in ("rule", "import"):
        return None
    return Values(**_values(content, currency))


def _values(content: Content, currency: Currency) -> dict[str, Any]:
    values = fields_of(content, currency)
    values["date"] = dt.date.fromisoformat(content.date)
    return values
