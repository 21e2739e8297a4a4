"""What is read of many rows: pages, totals, the log. Every view works inside the caller's transaction."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from expense_lib.domain.expense import ChangeKind
from expense_lib.domain.filters import ExpenseFilter, Filter, Sort, SummaryQuery
from expense_lib.domain.keys import Content
from expense_lib.domain.money import Currency
from expense_lib.domain.text import fold
from expense_lib.store.expenses import EXPENSE, Row
from expense_lib.store.schema import HALF

# How each sort orders the list, and what comes after the row that a cursor names; ties go by id.
_ORDERS: dict[Sort, tuple[str, str]] = {
    "date_desc": ("date DESC, id DESC", "(date, id) < (:after, :after_id)"),
    "date_asc": ("date, id", "(date, id) > (:after, :after_id)"),
    "amount_desc": ("amount_minor DESC, id DESC", "(amount_minor, id) < (:after, :after_id)"),
    "amount_asc": ("amount_minor, id", "(amount_minor, id) > (:after, :after_id)"),
}

# The conditions that a filter can set, by the names of its fields.
_CONDITIONS = {
    "category": "category_key IN (SELECT value FROM json_each(:category))",
    "date_from": "date >= :date_from",
    "date_to": "date <= :date_to",
    "amount_min": "amount_minor >= :amount_min",
    "amount_max": "amount_minor <= :amount_max",
    "q": "(instr(description_key, :q) OR instr(category_key, :q))",
}
_ONE_CATEGORY = "category_key = :category"

# Where no category has the text, as one look at the few of them tells, no row's category needs a look.
_Q_IN_DESCRIPTION = "instr(description_key, :q)"
_IN_A_CATEGORY = "SELECT EXISTS (SELECT 1 FROM category WHERE instr(key, :q))"

# Rows as Row has them. Which they are is found in an index that holds all that the filter asks: left to
# itself, SQLite takes one that does not, and looks into a million rows.
_PAGE = """
    {expense}
     WHERE id IN (
           SELECT id
             FROM expense INDEXED BY {index}
            WHERE {conditions}
            ORDER BY {order}
            LIMIT :rows
     )
     ORDER BY {order}
"""

_MATCHING = "{expense} INDEXED BY {index} WHERE {conditions} ORDER BY date, id"
_EXPENSES = "SELECT COUNT(*) FROM expense"

# One row: count, and the sum of minor units in two parts.
_SUM = f"""
    SELECT COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
      FROM expense INDEXED BY {{index}}
     WHERE {{conditions}}
"""

# Rows by month (YYYY-MM), category key, or both: those, count, and the sum of minor units in two parts.
_SUMMARY = f"""
    SELECT {{month}}, {{category}}, COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
      FROM expense INDEXED BY {{index}}
     WHERE {{conditions}}
     GROUP BY 1, 2
     ORDER BY 1, 2
"""
_NAMES = "SELECT key, name FROM category"

# The same of whole categories, whose keys are given as a JSON list, or of all for null.
_SUM_OF_CATEGORIES = """
    SELECT SUM(count), SUM(total_high), SUM(total_low)
      FROM category
     WHERE :keys = 'null' OR key IN (SELECT value FROM json_each(:keys))
"""

# Rows by name: name, count, and the sum of minor units in two parts.
_CATEGORIES = "SELECT name, count, total_high, total_low FROM category ORDER BY key"
_CATEGORY = "SELECT name, count, total_high, total_low FROM category WHERE key = :key"

# Rows as Logged has them, each with the version before it, if there is one.
_LINE = """
    SELECT change.seq, COALESCE(change.part_of, change.seq), change.kind, change.at,
           change.expense_id, change.version,
           change.amount_minor, change.category, change.description, change.date, change.occurrence,
           earlier.kind, earlier.amount_minor, earlier.category, earlier.description, earlier.date,
           earlier.occurrence
"""
_LOG = f"{_LINE} FROM change LEFT JOIN change AS earlier ON earlier.seq = change.previous"
_LOG_OF_EXPENSE = f"""
    WITH RECURSIVE line(seq) AS (
        SELECT last_seq FROM expense WHERE id = :expense_id
         UNION ALL
        SELECT change.previous FROM line JOIN change USING (seq)
    )
    {_LINE}
      FROM line
      JOIN change ON change.seq = line.seq
      LEFT JOIN change AS earlier ON earlier.seq = change.previous
     ORDER BY change.version
"""
_LOG_SINCE = f"""
    {_LINE}, expense.dedup_key
      FROM change
      LEFT JOIN change AS earlier ON earlier.seq = change.previous
      JOIN expense ON expense.id = change.expense_id
     WHERE change.seq > :since
     ORDER BY change.seq
     LIMIT :limit
"""
_WHOLE_LOG = f"""
    {_LINE}, expense.dedup_key
      FROM change
      LEFT JOIN change AS earlier ON earlier.seq = change.previous
      JOIN expense ON expense.id = change.expense_id
     ORDER BY change.expense_id, change.version
"""
_LOG_OF_DEED = f"""
    {_LOG} WHERE change.seq = :number OR change.part_of = :number
    ORDER BY change.seq
"""
# Rows as Logged has them, the first line of each deed, with how many lines it has.
_DEEDS = f"""
    {_LINE},
           (SELECT 1 + COUNT(*) FROM change AS part INDEXED BY change_by_deed WHERE part.part_of = change.seq)
      FROM change INDEXED BY deed
      LEFT JOIN change AS earlier ON earlier.seq = change.previous
     WHERE change.part_of IS NULL AND change.kind <> 'created' AND change.seq < :before
     ORDER BY change.seq DESC
     LIMIT :limit
"""
_DEED = "SELECT COALESCE(part_of, seq) FROM change WHERE seq = :seq"


@dataclass(frozen=True, slots=True)
class Sum:
    """How many expenses, and what they come to in minor units."""

    count: int
    total_minor: int


class Snapshot(NamedTuple):
    """What an expense was at one version."""

    amount_minor: int
    category: str
    description: str
    date: str
    occurrence: int

    @classmethod
    def of(cls, row: Row) -> Snapshot:
        """What an expense is now."""
        return cls(row.amount_minor, row.category, row.description, row.date, row.occurrence)

    def content(self) -> Content:
        """What its dedup key is made of, but for the occurrence."""
        date = dt.date.fromisoformat(self.date)
        return Content(self.amount_minor, fold(self.category), self.description, date)


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of the log: *before* and *after* are the contents; None is not there, or deleted."""

    seq: int
    number: int
    kind: ChangeKind
    at: str
    expense_id: int
    version: int
    before: Snapshot | None
    after: Snapshot | None
    content: Snapshot

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Logged:
        """From a row of _LOG."""
        seq, number, kind, at, expense_id, version = row[:6]
        content, earlier_kind, earlier = Snapshot(*row[6:11]), row[11], Snapshot(*row[12:17])
        before = None if earlier_kind in (None, "deleted") else earlier
        after = None if kind == "deleted" else content
        return cls(seq, number, kind, at, expense_id, version, before, after, content)


def page(
    con: sqlite3.Connection, wanted: ExpenseFilter, after: tuple[str | int, int] | None, currency: Currency
) -> list[Row]:
    """Up to ``wanted.limit + 1`` expenses in their order; *after* is the last one's sorted value and id."""
    order, beyond = _ORDERS[wanted.sort]
    conditions, values = _where(con, wanted, currency)
    if after is not None:
        conditions.append(beyond)
        values |= {"after": after[0], "after_id": after[1]}
    sql = _PAGE.format(
        expense=EXPENSE, index=_index(wanted), conditions=" AND ".join(conditions), order=order
    )
    return [Row(*row) for row in con.execute(sql, values | {"rows": wanted.limit + 1})]


def total(con: sqlite3.Connection, wanted: Filter, currency: Currency, first: list[Row] | None) -> Sum:
    """Count and exact sum of all expenses that match, whatever the page.

    Args:
        con: A connection in the transaction that read the page.
        wanted: The filter.
        currency: Of the ledger.
        first: What ``page`` gave, if it was the first page. It needs no second look.
    """
    conditions, values = _where(con, wanted, currency)
    if set(values) <= {"category"}:
        keys = json.dumps(wanted.category_keys() or None)
        return _sum(con.execute(_SUM_OF_CATEGORIES, {"keys": keys}).fetchone())
    seen = Sum(0, 0)
    if (
        first is not None
        and isinstance(wanted, ExpenseFilter)
        and (len(first) <= wanted.limit or wanted.sort.startswith("date"))
    ):
        seen = Sum(len(first), sum(row.amount_minor for row in first))
        if len(first) <= wanted.limit:
            return seen
        conditions.append(_ORDERS[wanted.sort][1])
        values |= {"after": first[-1].date, "after_id": first[-1].id}
    sql = _SUM.format(index=_index(wanted), conditions=" AND ".join(conditions))
    rest = _sum(con.execute(sql, values).fetchone())
    return Sum(seen.count + rest.count, seen.total_minor + rest.total_minor)


def matching(con: sqlite3.Connection, wanted: Filter, currency: Currency) -> Iterator[Row]:
    """All expenses that match, by date and id."""
    conditions, values = _where(con, wanted, currency)
    sql = _MATCHING.format(expense=EXPENSE, index=_index(wanted), conditions=" AND ".join(conditions))
    return (Row(*row) for row in con.execute(sql, values))


def number_of_expenses(con: sqlite3.Connection) -> int:
    """How many expenses there ever were."""
    return int(con.execute(_EXPENSES).fetchone()[0])


def whole_log(con: sqlite3.Connection) -> Iterator[tuple[Logged, str]]:
    """The log of every expense there ever was, by their ids and versions, each line with the dedup key."""
    return ((Logged.of(row), row[-1]) for row in con.execute(_WHOLE_LOG))


def summary(
    con: sqlite3.Connection, wanted: SummaryQuery, currency: Currency
) -> list[tuple[str | None, str | None, Sum]]:
    """The sums of all expenses that match, by month (YYYY-MM), by category's name, or both, in that order."""
    conditions, values = _where(con, wanted, currency)
    sql = _SUMMARY.format(
        month="substr(date, 1, 7)" if "month" in wanted.by else "NULL",
        category="category_key" if "category" in wanted.by else "NULL",
        index="live_by_category" if wanted.by == ("category",) and not wanted.q else _index(wanted),
        conditions=" AND ".join(conditions),
    )
    names = dict(con.execute(_NAMES))
    found = con.execute(sql, values)
    return [(month, names.get(key), _sum(parts)) for month, key, *parts in found]


def categories(con: sqlite3.Connection) -> list[tuple[str, Sum]]:
    """Every category that has live expenses, by name, with their count and sum."""
    return [(name, _sum(parts)) for name, *parts in con.execute(_CATEGORIES)]


def category(con: sqlite3.Connection, key: str) -> tuple[str, Sum]:
    """The name, count and sum of a category that has live expenses."""
    name, *parts = con.execute(_CATEGORY, {"key": key}).fetchone()
    return name, _sum(parts)


def history(con: sqlite3.Connection, expense_id: int) -> list[Logged]:
    """Every version of an expense, the first one first."""
    return [Logged.of(row) for row in con.execute(_LOG_OF_EXPENSE, {"expense_id": expense_id})]


def log(con: sqlite3.Connection, since: int, limit: int) -> Iterator[tuple[Logged, str]]:
    """The log after line *since*, in order, at most *limit* lines, each with its expense's dedup key."""
    found = con.execute(_LOG_SINCE, {"since": since, "limit": limit})
    return ((Logged.of(row), row[-1]) for row in found)


def deed(con: sqlite3.Connection, seq: int) -> list[Logged]:
    """All lines of the deed that line *seq* is part of, in order; none if there is no such line."""
    found = con.execute(_DEED, {"seq": seq}).fetchone()
    rows = con.execute(_LOG_OF_DEED, {"number": found[0]}) if found else ()
    return [Logged.of(row) for row in rows]


def changes(con: sqlite3.Connection, before: int, limit: int) -> Iterator[tuple[Logged, int]]:
    """The first lines of the deeds before number *before*, of at most *limit*, the last first.

    Each with how many lines the deed has. What created an expense is no deed here.
    """
    found = con.execute(_DEEDS, {"before": before, "limit": limit})
    return ((Logged.of(row), row[-1]) for row in found)


def _index(wanted: Filter) -> str:
    """The index that holds all that *wanted* asks."""
    return "live_by_category" if len(wanted.category) == 1 and not wanted.q else "live_by_date"


def _where(con: sqlite3.Connection, wanted: Filter, currency: Currency) -> tuple[list[str], dict[str, Any]]:
    """The conditions that *wanted* sets, after that of being live, and the values bound in them."""
    keys = wanted.category_keys()
    given = {
        "category": keys[0] if len(keys) == 1 else json.dumps(keys) if keys else None,
        "date_from": wanted.date_from and wanted.date_from.isoformat(),
        "date_to": wanted.date_to and wanted.date_to.isoformat(),
        "amount_min": _minor(currency, wanted.amount_min, "amount_min"),
        "amount_max": _minor(currency, wanted.amount_max, "amount_max"),
        "q": fold(wanted.q) or None,
    }
    values = {name: value for name, value in given.items() if value is not None}
    conditions = [_CONDITIONS[name] for name in values]
    if len(keys) == 1:
        conditions[0] = _ONE_CATEGORY
    if wanted.q and con.execute(_IN_A_CATEGORY, values).fetchone() == (0,):
        conditions[-1] = _Q_IN_DESCRIPTION
    return ["deleted_at IS NULL", *conditions], values


def _minor(currency: Currency, amount: Decimal | None, field: str) -> int | None:
    return None if amount is None else currency.to_minor(amount, field)


def _sum(parts: Any) -> Sum:
    count, high, low = parts
    return Sum(count or 0, (high or 0) * HALF + (low or 0))
