"""Many expenses changed by one deed: what the rules ask and write of all of them at once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import repeat

from expense_lib.domain.expense import ChangeKind
from expense_lib.store.expenses import Row

# Rows: a key, and whose it is, for a JSON list of keys.
_OWNERS = "SELECT key, expense_id FROM claim WHERE key IN (SELECT value FROM json_each(:keys))"
_INSERT_CLAIM = "INSERT INTO claim (key, expense_id) VALUES (?, ?)"

# Rows, for a JSON list of ids, the first version first: id, category and occurrence of each version that had
# the amount, description and date that the expense has now.
_ALIKE = """
    WITH RECURSIVE line(seq) AS (
        SELECT last_seq FROM expense WHERE id IN (SELECT value FROM json_each(:ids))
         UNION ALL
        SELECT change.previous FROM line JOIN change USING (seq)
    )
    SELECT change.expense_id, change.category, change.occurrence
      FROM line
      JOIN change USING (seq)
      JOIN expense ON expense.id = change.expense_id
     WHERE change.amount_minor = expense.amount_minor
       AND change.description = expense.description
       AND change.date = expense.date
     ORDER BY change.seq
"""

_LAST = "SELECT MAX(seq) FROM change"
_INSERT_CHANGE = """
    INSERT INTO change (
        seq, previous, part_of, kind, at, expense_id, version,
        amount_minor, category, description, date, occurrence
    )
    VALUES (
        :seq, (SELECT last_seq FROM expense WHERE id = :id), :part_of, :kind, :updated_at, :id, :version,
        :amount_minor, :category, :description, :date, :occurrence
    )
"""
# As one statement: so many, each with its triggers, take three times as long.
_UPDATE_EXPENSES = """
    UPDATE expense
       SET category = change.category,
           category_key = :category_key,
           occurrence = change.occurrence,
           version = change.version,
           updated_at = change.at,
           last_seq = change.seq
      FROM change
     WHERE expense.id = change.expense_id AND change.seq >= :first
"""


def owners(con: sqlite3.Connection, keys: list[str]) -> dict[str, int]:
    """Those of the keys that have an owner, with its id."""
    return dict(con.execute(_OWNERS, {"keys": json.dumps(keys)}))


def add_claims(con: sqlite3.Connection, owned: Iterable[tuple[str, int]]) -> None:
    """Give keys to expenses, for good. The database refuses a key that has an owner."""
    con.executemany(_INSERT_CLAIM, owned)


def alike(con: sqlite3.Connection, expense_ids: list[int]) -> Iterator[tuple[int, str, int]]:
    """When expenses had the amount, description and date that they have now, the first version first.

    Returns:
        Id, category and occurrence of each such version.
    """
    yield from con.execute(_ALIKE, {"ids": json.dumps(expense_ids)})


def revise(con: sqlite3.Connection, revised: list[Row], kind: ChangeKind, number: int | None) -> int | None:
    """Write the next version of expenses that are of one category now, and log it, in their order.

    Category and occurrence are what may have changed, beside version and time.

    Returns:
        The deed's number: *number*, else the first line's; None if there is nothing to write.
    """
    if not revised:
        return number
    first: int = con.execute(_LAST).fetchone()[0] + 1
    part_of = [number, *repeat(number or first, len(revised) - 1)]
    con.executemany(
        _INSERT_CHANGE,
        (
            row._asdict() | {"seq": seq, "part_of": part, "kind": kind}
            for seq, (row, part) in enumerate(zip(revised, part_of, strict=True), first)
        ),
    )
    con.execute(_UPDATE_EXPENSES, {"first": first, "category_key": revised[0].category_key})
    return number or first
