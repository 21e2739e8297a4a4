"""Rows of the file as the models that callers get, with amounts in the ledger's currency."""

from __future__ import annotations

import datetime as dt
from typing import Any

from expense_lib.domain.money import Currency
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    LogEntry,
    Part,
    Snapshot,
    Summary,
    Version,
)
from expense_lib.store import queries
from expense_lib.store.expenses import Row


def expense(row: Row, currency: Currency) -> Expense:
    """An expense as it is."""
    return Expense(
        id=row.id,
        amount=currency.from_minor(row.amount_minor),
        category=row.category,
        description=row.description,
        date=dt.date.fromisoformat(row.date),
        occurrence=row.occurrence,
        refund=row.amount_minor < 0,
        dedup_key=row.dedup_key,
        version=row.version,
        created_at=dt.datetime.fromisoformat(row.created_at),
        updated_at=dt.datetime.fromisoformat(row.updated_at),
    )


def category(name: str, total: queries.Sum, currency: Currency) -> CategoryTotal:
    """A category with what is spent in it."""
    return CategoryTotal(name=name, count=total.count, total=currency.from_minor(total.total_minor))


def summary(parts: list[tuple[str | None, str | None, queries.Sum]], currency: Currency) -> Summary:
    """Sums by month, category or both, and what they come to."""
    return Summary(
        items=tuple(
            Part(month=month, category=name, count=part.count, total=currency.from_minor(part.total_minor))
            for month, name, part in parts
        ),
        count=sum(part.count for *_, part in parts),
        total=currency.from_minor(sum(part.total_minor for *_, part in parts)),
        currency=currency.code,
    )


def version(line: queries.Logged, currency: Currency) -> Version:
    """A line of the log as part of one expense's history."""
    return Version(**_parts(line, currency))


def log_entry(line: queries.Logged, dedup_key: str, currency: Currency) -> LogEntry:
    """A line of the log as part of the ledger's."""
    return LogEntry(
        seq=line.seq,
        number=line.number,
        expense_id=line.expense_id,
        dedup_key=dedup_key,
        **_parts(line, currency),
    )


def change(first: queries.Logged, count: int, currency: Currency) -> Change:
    """A change of so many log entries, by its first."""
    parts = _parts(first, currency)
    del parts["version"]
    return Change(number=first.number, count=count, expense_id=first.expense_id, **parts)


def _parts(line: queries.Logged, currency: Currency) -> dict[str, Any]:
    return {
        "version": line.version,
        "change": line.kind,
        "at": line.at,
        "before": _snapshot(line.before, currency),
        "after": _snapshot(line.after, currency),
    }


def _snapshot(at: queries.Snapshot | None, currency: Currency) -> Snapshot | None:
    if at is None:
        return None
    return Snapshot(
        amount=currency.from_minor(at.amount_minor),
        category=at.category,
        description=at.description,
        date=dt.date.fromisoformat(at.date),
        occurrence=at.occurrence,
        refund=at.amount_minor < 0,
    )
