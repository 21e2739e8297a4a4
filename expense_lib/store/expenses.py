"""The rows that the rules read and write, one at a time, inside the caller's transaction."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from typing import Any, NamedTuple

from expense_lib.domain.expense import ChangeKind
from expense_lib.domain.keys import Content
from expense_lib.domain.money import Currency
from expense_lib.domain.text import fold

# One row: the ledger's currency (ISO 4217) and its fraction digits.
_CURRENCY = "SELECT currency, exponent FROM ledger"

# Rows as Row has them.
EXPENSE = """
    SELECT id, amount_minor, category, category_key, description, date, occurrence, dedup_key,
           version, created_at, updated_at, deleted_at
      FROM expense
"""
_EXPENSE_BY_ID = f"{EXPENSE} WHERE id = :id"
_LIVE_IN_CATEGORY = f"{EXPENSE} WHERE deleted_at IS NULL AND category_key = :key ORDER BY id"

# One row or none: whose key it is, as Row has it, and the request first sent with it.
_CLAIM = """
    SELECT id, amount_minor, category, category_key, description, date, occurrence, dedup_key,
           version, created_at, updated_at, deleted_at, request
      FROM claim
      JOIN expense ON id = expense_id
     WHERE key = :key
"""
_INSERT_CLAIM = "INSERT INTO claim (key, expense_id, request) VALUES (:key, :expense_id, :request)"

# A trigger adds the claim and the line of the log.
_INSERT_EXPENSE = """
    INSERT INTO expense (
        amount_minor, category, category_key, description, description_key, date, occurrence,
        dedup_key, version, created_at, updated_at, last_seq
    )
    VALUES (
        :amount_minor, COALESCE((SELECT name FROM category WHERE key = :category_key), :category),
        :category_key, :description, :description_key, :date, :occurrence,
        :dedup_key, 1, strftime('%Y-%m-%dT%H:%M:%fZ'), strftime('%Y-%m-%dT%H:%M:%fZ'),
        (SELECT COALESCE(MAX(seq), 0) + 1 FROM change)
    )
    RETURNING id, amount_minor, category, category_key, description, date, occurrence, dedup_key,
              version, created_at, updated_at, deleted_at
"""

_UPDATE_EXPENSE = """
    UPDATE expense
       SET amount_minor = :amount_minor,
           category = :category,
           category_key = :category_key,
           description = :description,
           description_key = :description_key,
           date = :date,
           occurrence = :occurrence,
           version = :version,
           updated_at = :updated_at,
           deleted_at = :deleted_at,
           last_seq = :last_seq
     WHERE id = :id
"""

# part_of: the first row of the same deed, for the others.
_INSERT_CHANGE = """
    INSERT INTO change (
        previous, part_of, kind, at, expense_id, version,
        amount_minor, category, description, date, occurrence
    )
    VALUES (
        (SELECT last_seq FROM expense WHERE id = :id), :part_of, :kind, :updated_at, :id, :version,
        :amount_minor, :category, :description, :date, :occurrence
    )
"""

_CATEGORY_NAME = "SELECT name FROM category WHERE key = :key"
_NAME_CATEGORY = "UPDATE category SET name = :name WHERE key = :key"


class Row(NamedTuple):
    """An expense as the file has it. Texts are canonical; *date* is ISO; times are UTC, RFC 3339."""

    id: int
    amount_minor: int
    category: str
    category_key: str
    description: str
    date: str
    occurrence: int
    dedup_key: str
    version: int
    created_at: str
    updated_at: str
    deleted_at: str | None

    def content(self) -> Content:
        """What its dedup key is made of now, but for the occurrence."""
        return Content(
            self.amount_minor, self.category_key, self.description, dt.date.fromisoformat(self.date)
        )


class Claim(NamedTuple):
    """Whose a key is. *request* is what was first sent with it, if it is an idempotency key."""

    owner: Row
    request: dict[str, Any] | None


def currency(con: sqlite3.Connection) -> Currency:
    """What the ledger's amounts are counted in."""
    return Currency(*con.execute(_CURRENCY).fetchone())


def expense(con: sqlite3.Connection, expense_id: int) -> Row | None:
    """The expense of this id, live or deleted."""
    row = con.execute(_EXPENSE_BY_ID, {"id": expense_id}).fetchone()
    return None if row is None else Row(*row)


def live_in_category(con: sqlite3.Connection, key: str) -> list[Row]:
    """All live expenses of a category, by id."""
    return [Row(*row) for row in con.execute(_LIVE_IN_CATEGORY, {"key": key})]


def add_expense(
    con: sqlite3.Connection, content: Content, category: str, occurrence: int, dedup_key: str
) -> Row:
    """Add a payment, with its dedup key and its line in the log. Its category takes the spelling first seen.

    Raises:
        sqlite3.IntegrityError: an expense has this key already.
    """
    values = {
        "amount_minor": content.amount_minor,
        "category": category,
        "category_key": content.category_key,
        "description": content.description,
        "description_key": fold(content.description),
        "date": content.date.isoformat(),
        "occurrence": occurrence,
        "dedup_key": dedup_key,
    }
    return Row(*con.execute(_INSERT_EXPENSE, values).fetchone())


def revise(con: sqlite3.Connection, revised: Row, kind: ChangeKind, number: int | None = None) -> int:
    """Write an expense's next version and log it, as part of deed *number* if given. Returns the number."""
    values = revised._asdict() | {"description_key": fold(revised.description)}
    seq = con.execute(_INSERT_CHANGE, values | {"kind": kind, "part_of": number}).lastrowid or 0
    con.execute(_UPDATE_EXPENSE, values | {"last_seq": seq})
    return number or seq


def claim(con: sqlite3.Connection, key: str) -> Claim | None:
    """Whose *key* is, if anyone's."""
    row = con.execute(_CLAIM, {"key": key}).fetchone()
    return None if row is None else Claim(Row(*row[:-1]), row[-1] and json.loads(row[-1]))


def add_claim(
    con: sqlite3.Connection, key: str, expense_id: int, request: dict[str, Any] | None = None
) -> None:
    """Give *key* to an expense, for good. The database refuses a key that has an owner."""
    text = None if request is None else json.dumps(request, ensure_ascii=False)
    con.execute(_INSERT_CLAIM, {"key": key, "expense_id": expense_id, "request": text})


def category_name(con: sqlite3.Connection, key: str) -> str | None:
    """How a category of live expenses is spelled."""
    row = con.execute(_CATEGORY_NAME, {"key": key}).fetchone()
    return None if row is None else str(row[0])


def name_category(con: sqlite3.Connection, key: str, name: str) -> None:
    """Spell a category anew, where it stands for all its expenses."""
    con.execute(_NAME_CATEGORY, {"key": key, "name": name})
