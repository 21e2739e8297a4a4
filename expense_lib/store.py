"""All SQL that reads and writes rows. Every function works inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, NamedTuple

from expense_lib.dedup import Content
from expense_lib.models import Expense, ExpenseFilter
from expense_lib.money import Currency

_HALF = 1_000_000_000  # sums are taken in two parts, since one could exceed SQLite's integers

# One row: the ledger's currency (ISO 4217) and its fraction digits.
_CURRENCY = "SELECT currency, exponent FROM ledger"

# Rows of an expense as Expense has it, but for amount_minor.
_EXPENSE = """
    SELECT expense.id, amount_minor, category.name AS category, description, date, occurrence,
           dedup_key, version, created_at, updated_at
      FROM expense
      JOIN category ON category.id = category_id
"""
_EXPENSE_BY_ID = f"{_EXPENSE} WHERE expense.id = :id"

# One row or none: whose key it is, and the request first sent with it.
_CLAIM = "SELECT expense_id, request FROM claim WHERE key = :key"

_INSERT_CLAIM = "INSERT INTO claim (key, expense_id, request) VALUES (:key, :expense_id, :request)"

_CATEGORY = "SELECT id FROM category WHERE key = :key"

_INSERT_CATEGORY = "INSERT INTO category (key, name) VALUES (:key, :name) RETURNING id"

_INSERT_EXPENSE = """
    INSERT INTO expense (
        amount_minor, category_id, description, date, occurrence, dedup_key, created_at, updated_at
    )
    VALUES (:amount_minor, :category_id, :description, :date, :occurrence, :dedup_key, :at, :at)
    RETURNING id
"""

_IN_CATEGORIES = (
    "category_id IN (SELECT id FROM category WHERE key IN (SELECT value FROM json_each(:categories)))"
)

# One row: count, and the sum of minor units as two parts, high and low.
_TOTAL = f"SELECT COUNT(*), SUM(amount_minor / {_HALF}), SUM(amount_minor % {_HALF}) FROM expense"

# Rows: name, count, and the sum of minor units as two parts, by name.
_CATEGORIES = f"""
    SELECT category.name, COUNT(*), SUM(amount_minor / {_HALF}), SUM(amount_minor % {_HALF})
      FROM expense
      JOIN category ON category.id = category_id
     GROUP BY category_id
     ORDER BY category.key
"""


class Claim(NamedTuple):
    """Whose a key is. *request* is what was first sent with it, if it is an idempotency key."""

    expense_id: int
    request: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Sum:
    """How many expenses, and what they come to in minor units."""

    count: int
    total_minor: int


def currency(con: sqlite3.Connection) -> Currency:
    """What the ledger's amounts are counted in."""
    return Currency(*con.execute(_CURRENCY).fetchone())


def expense(con: sqlite3.Connection, expense_id: int, currency: Currency) -> Expense | None:
    """The expense of this id, if there is one."""
    row = con.execute(_EXPENSE_BY_ID, {"id": expense_id}).fetchone()
    return None if row is None else _expense_of(row, currency)


def claim(con: sqlite3.Connection, key: str) -> Claim | None:
    """Whose *key* is, if anyone's."""
    row = con.execute(_CLAIM, {"key": key}).fetchone()
    return None if row is None else Claim(row[0], row[1] and json.loads(row[1]))


def add_claim(
    con: sqlite3.Connection, key: str, expense_id: int, request: dict[str, Any] | None = None
) -> None:
    """Give *key* to an expense, for good. The database refuses a key that has an owner."""
    text = None if request is None else json.dumps(request, ensure_ascii=False)
    con.execute(_INSERT_CLAIM, {"key": key, "expense_id": expense_id, "request": text})


def add_expense(
    con: sqlite3.Connection, content: Content, category: str, occurrence: int, dedup_key: str, at: str
) -> int:
    """Add a row for a payment and give it its dedup key. Returns its id."""
    (expense_id,) = con.execute(
        _INSERT_EXPENSE,
        {
            "amount_minor": content.amount_minor,
            "category_id": _category_id(con, content.category_key, category),
            "description": content.description,
            "date": content.date.isoformat(),
            "occurrence": occurrence,
            "dedup_key": dedup_key,
            "at": at,
        },
    ).fetchone()
    add_claim(con, dedup_key, expense_id)
    return int(expense_id)


def page(
    con: sqlite3.Connection, wanted: ExpenseFilter, after: tuple[str, int] | None, currency: Currency
) -> list[Expense]:
    """Up to ``wanted.limit + 1`` expenses newest first, ties by id; *after* is the last one's date and id."""
    where, values = _where(wanted)
    if after is not None:
        where.append("(date, expense.id) < (:after_date, :after_id)")
        values |= {"after_date": after[0], "after_id": after[1]}
    sql = f"{_EXPENSE} {_all_of(where)} ORDER BY date DESC, expense.id DESC LIMIT :rows"
    rows = con.execute(sql, values | {"rows": wanted.limit + 1})
    return [_expense_of(row, currency) for row in rows]


def total(con: sqlite3.Connection, wanted: ExpenseFilter) -> Sum:
    """Count and exact sum of all expenses that match, whatever the page."""
    where, values = _where(wanted)
    count, high, low = con.execute(f"{_TOTAL} {_all_of(where)}", values).fetchone()
    return Sum(count, (high or 0) * _HALF + (low or 0))


def categories(con: sqlite3.Connection) -> list[tuple[str, Sum]]:
    """Every category that has expenses, by name, with their count and sum."""
    rows = con.execute(_CATEGORIES)
    return [(name, Sum(count, high * _HALF + low)) for name, count, high, low in rows]


def _category_id(con: sqlite3.Connection, key: str, name: str) -> int:
    row = con.execute(_CATEGORY, {"key": key}).fetchone()
    row = row or con.execute(_INSERT_CATEGORY, {"key": key, "name": name}).fetchone()
    return int(row[0])


def _where(wanted: ExpenseFilter) -> tuple[list[str], dict[str, Any]]:
    """The conditions that *wanted* sets, and the values bound in them."""
    if not wanted.category:
        return [], {}
    return [_IN_CATEGORIES], {"categories": json.dumps(wanted.category_keys())}


def _all_of(conditions: list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _expense_of(row: tuple[Any, ...], currency: Currency) -> Expense:
    expense_id, minor, category, description, date, occurrence, key, version, created_at, updated_at = row
    return Expense(
        id=expense_id,
        amount=currency.from_minor(minor),
        category=category,
        description=description,
        date=date,
        occurrence=occurrence,
        refund=minor < 0,
        dedup_key=key,
        version=version,
        created_at=created_at,
        updated_at=updated_at,
    )
