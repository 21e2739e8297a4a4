"""The rows of imports: what is known of a statement, and one statement put down, table by table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from expense_lib.store.sqlite import transaction

CHUNK = 500  # values bound in one statement
_CACHE_KIB = 24 * 1024

# Rows as Known has them.
_KNOWN = """
    SELECT identity, expense.id, expense.deleted_at IS NOT NULL, expense.last_seq IS undone_seq,
           amount_minor, category_key, description, date
      FROM statement_row
      JOIN expense ON expense.id = statement_row.expense_id
     WHERE identity IN ({values})
"""

# Rows by date and id: date, id, minor units, description, of live expenses without a row identity.
_WITHOUT_IDENTITY = """
    SELECT date, id, amount_minor, description
      FROM expense INDEXED BY live_by_date
     WHERE deleted_at IS NULL AND import_id IS NULL AND date BETWEEN :first AND :last
     ORDER BY date, id
"""

# Rows by date and id: date, id, minor units, description's key, of live expenses. The index has it all.
_LIVE = """
    SELECT date, id, amount_minor, description_key
      FROM expense INDEXED BY live_by_date
     WHERE deleted_at IS NULL AND date BETWEEN :first AND :last {condition}
     ORDER BY date, id
"""
_OF_OTHER_ACCOUNTS = """
       AND (import_id IS NULL OR import_id NOT IN (
           SELECT id FROM import WHERE account IN (SELECT value FROM json_each(:accounts))
       ))
"""

# Rows by date and id: description's key and category's key, of live expenses. The index has it all.
_CATEGORISED = """
    SELECT description_key, category_key
      FROM expense INDEXED BY live_by_date
     WHERE deleted_at IS NULL AND description_key <> ''
     ORDER BY date, id
"""
_NAMES = "SELECT key, name FROM category"
_TAKEN = "SELECT key FROM claim WHERE key IN ({values})"
# Rows: a key, and its owner as Known has it.
_OWNERS = """
    SELECT key, x'', expense.id, deleted_at IS NOT NULL, 0, amount_minor, category_key, description, date
      FROM claim
      JOIN expense ON expense.id = claim.expense_id
     WHERE key IN ({values})
"""
_ANY_CLAIM = "SELECT EXISTS (SELECT 1 FROM claim)"
_ANY_ROW = "SELECT EXISTS (SELECT 1 FROM statement_row)"

# One row: the last line of the log, the rules as one text, the last import and how many are undone.
_SEEN = """
    SELECT (SELECT MAX(seq) FROM change),
           (SELECT group_concat(id || text_key || category, char(0)) FROM category_rule),
           (SELECT MAX(id) FROM import),
           (SELECT COUNT(undone_at) FROM import)
"""

# One row: the largest ids in use.
_LAST = """
    SELECT (SELECT COALESCE(MAX(id), 0) FROM expense),
           (SELECT COALESCE(MAX(seq), 0) FROM change),
           (SELECT COALESCE(MAX(id), 0) FROM import)
"""

_INSERT_IMPORT = """
    INSERT INTO import (
        id, at, source, account, first_seq, last_seq, created, existing, changed, deleted, skipped, bad
    )
    VALUES (
        :id, :at, :source, :account, :first_seq, :last_seq,
        :created, :existing, :changed, :deleted, :skipped, :bad
    )
"""

_TRIGGER = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'expense_is_new'"

# In the order of Created.
_INSERT_EXPENSE = """
    INSERT INTO expense (
        id, amount_minor, category, category_key, description, description_key, date, occurrence,
        dedup_key, last_seq, version, created_at, updated_at, import_id
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
"""
_LOG_CREATED = """
    INSERT INTO change (
        seq, kind, at, expense_id, version, amount_minor, category, description, date, occurrence
    )
    SELECT last_seq, 'created', created_at, id, 1, amount_minor, category, description, date, occurrence
      FROM expense
     WHERE id BETWEEN :first AND :last
     ORDER BY id
"""
_INSERT_CLAIM = "INSERT INTO claim (key, expense_id) VALUES (?, ?)"
_INSERT_IDENTITY = """
    INSERT INTO statement_row (identity, expense_id, import_id) VALUES (?, ?, ?)
    ON CONFLICT (identity) DO UPDATE
       SET expense_id = excluded.expense_id, import_id = excluded.import_id, undone_seq = NULL
"""
_COUNT = """
    INSERT INTO category (key, name, count, total_high, total_low) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
       SET count = count + excluded.count,
           total_high = total_high + excluded.total_high,
           total_low = total_low + excluded.total_low
"""
_TAKE = "UPDATE expense SET import_id = :import_id WHERE id = :id"

# Rows as Listed has them.
_IMPORTS = """
    SELECT id, at, source, account, created, existing, changed, deleted, skipped, bad, undone_at,
           first_seq, last_seq
      FROM import
"""
_MARK_UNDONE = "UPDATE import SET undone_at = :at, undone_by = :by WHERE id = :id"
_MARK_REDONE = "UPDATE import SET undone_at = NULL, undone_by = NULL WHERE undone_by = :by"

# Rows: ids of the expenses that an import brought into the ledger, the line that says so, and whether that
# is the expense's last one; without those that its undo deleted and nobody touched since.
_BROUGHT = """
    SELECT expense.id, change.seq, expense.last_seq = change.seq
      FROM change
      JOIN expense ON expense.id = change.expense_id
     WHERE change.seq BETWEEN :first_seq AND :last_seq
       AND change.kind IN ('created', 'restored')
       AND expense.import_id = :id
       AND expense.id NOT IN (
           SELECT expense_id
             FROM statement_row
             JOIN expense ON expense.id = expense_id
            WHERE statement_row.import_id = :id AND undone_seq = last_seq
       )
     ORDER BY change.seq
"""

# Rows: ids of expenses that the undo of an import deleted, and whose payments are other expenses by now.
_MOVED = """
    SELECT expense.id
      FROM import
      JOIN change ON change.seq = undone_by OR change.part_of = undone_by
      JOIN expense ON expense.id = change.expense_id
     WHERE undone_by = :by AND expense.import_id IS NOT import.id
"""

# Their identities are nobody's from now on, as long as that is all that becomes of them.
_UNDO_ROWS = """
    UPDATE statement_row
       SET undone_seq = (SELECT last_seq FROM expense WHERE id = expense_id)
     WHERE import_id = :id AND expense_id IN (SELECT value FROM json_each(:expense_ids))
"""

# Expenses that the import recognised and nobody changed since are as without it.
_RECOGNISED = """
    SELECT id
      FROM expense
     WHERE import_id = :id
       AND last_seq < :first_seq
"""
_FORGET_ROWS = """
    DELETE FROM statement_row
     WHERE import_id = :id AND expense_id IN (SELECT value FROM json_each(:expense_ids))
"""

# Id, minor units, category and key, description and key, date, occurrence, dedup key, seq, time, time, import
Created = tuple[int, int, str, str, str, str, str, int, str, int, str, str, int]


class Known(NamedTuple):
    """An identity that was seen before, with its expense as it is.

    *undone*: the expense was deleted by undoing the import, and nobody touched it since.
    """

    identity: bytes
    expense_id: int
    deleted: int
    undone: int
    amount_minor: int
    category_key: str
    description: str
    date: str


class Seen(NamedTuple):
    """How far a ledger is: its log, its rules, its imports."""

    last_seq: int
    rules: str | None
    imports: tuple[int | None, ...]


class Listed(NamedTuple):
    """An import. Its lines in the log are *first_seq* to *last_seq*."""

    id: int
    at: str
    source: str
    account: str
    created: int
    existing: int
    changed: int
    deleted: int
    skipped: int
    bad: int
    undone_at: str | None
    first_seq: int
    last_seq: int


def seen(con: sqlite3.Connection) -> Seen:
    """How far the ledger is. As long as it is no further, nothing of what an import looks at has changed."""
    last_seq, rules, *of_imports = con.execute(_SEEN).fetchone()
    return Seen(last_seq or 0, rules, tuple(of_imports))


@contextmanager
def in_bulk(con: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, for many rows: more cache, and no look at the foreign keys of each one.

    An import adds expenses, keys, lines of the log and identities table by table, each in its own order. What
    belongs to what is right by construction, and ``upkeep.findings`` looks at all of it.
    """
    (cache,) = con.execute("PRAGMA cache_size").fetchone()
    con.execute("PRAGMA foreign_keys = OFF")
    con.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    try:
        with transaction(con, write=True):
            yield
    finally:
        con.execute("PRAGMA foreign_keys = ON")
        con.execute(f"PRAGMA cache_size = {cache}")


def known(con: sqlite3.Connection, identities: Iterable[bytes]) -> Iterator[Known]:
    """Those of the identities that were seen before; faster if they come sorted."""
    if con.execute(_ANY_ROW).fetchone() == (1,):
        for found in _in_chunks(con, _KNOWN, identities):
            yield Known(*found)


def taken(con: sqlite3.Connection, keys: Iterable[str]) -> Iterator[str]:
    """Those of the keys that have an owner; faster if they come sorted."""
    if con.execute(_ANY_CLAIM).fetchone() == (1,):
        for (key,) in _in_chunks(con, _TAKEN, keys):
            yield key


def owners(con: sqlite3.Connection, keys: Iterable[str]) -> Iterator[tuple[str, Known]]:
    """Those of the dedup keys that have an owner, each with it."""
    for key, *owner in _in_chunks(con, _OWNERS, keys):
        yield key, Known(*owner)


def without_identity(con: sqlite3.Connection, first: str, last: str) -> Iterator[tuple[str, int, int, str]]:
    """Live expenses from one day to another that have no row identity: date, id, minor units, description."""
    yield from con.execute(_WITHOUT_IDENTITY, {"first": first, "last": last})


def live(
    con: sqlite3.Connection, first: str, last: str, not_of: set[str] | None = None
) -> Iterator[tuple[str, int, int, str]]:
    """Live expenses from one day to another: date, id, minor units, the description's key.

    Args:
        con: A connection in a transaction.
        first: The first day.
        last: The last day.
        not_of: Accounts; expenses from their statements are left out.
    """
    values = {"first": first, "last": last, "accounts": json.dumps(list(not_of or ()))}
    yield from con.execute(_LIVE.format(condition=_OF_OTHER_ACCOUNTS if not_of else ""), values)


def category_names(con: sqlite3.Connection) -> dict[str, str]:
    """How each category of live expenses is spelled, by its key."""
    return dict(con.execute(_NAMES))


def last_categories(con: sqlite3.Connection, description_keys: set[str]) -> dict[str, str]:
    """The category's key of the latest live expense of each description, where there is one."""
    found = con.execute(_CATEGORISED) if description_keys else ()
    return {description: category for description, category in found if description in description_keys}


def next_numbers(con: sqlite3.Connection) -> tuple[int, int, int]:
    """The first free id of an expense, of a line in the log, and of an import."""
    expense, seq, number = con.execute(_LAST).fetchone()
    return expense + 1, seq + 1, number + 1


def add_import(con: sqlite3.Connection, values: dict[str, Any]) -> None:
    """Put down that there was an import."""
    con.execute(_INSERT_IMPORT, values)


@contextmanager
def without_trigger(con: sqlite3.Connection) -> Iterator[None]:
    """For new expenses whose keys, lines of the log and totals are added by themselves.

    Within the transaction, so that nobody sees the ledger without it.
    """
    (trigger,) = con.execute(_TRIGGER).fetchone()
    con.execute("DROP TRIGGER expense_is_new")
    yield
    con.execute(trigger)


def add_expenses(con: sqlite3.Connection, created: Iterable[Created]) -> None:
    """Add new expenses, and nothing else of theirs."""
    con.executemany(_INSERT_EXPENSE, created)


def log_created(con: sqlite3.Connection, first: int, last: int) -> None:
    """Add the lines of the log for the expenses from one id to another."""
    con.execute(_LOG_CREATED, {"first": first, "last": last})


def add_claims(con: sqlite3.Connection, owned: Iterable[tuple[str, int]]) -> None:
    """Give dedup keys to expenses. The database refuses a key that has an owner."""
    con.executemany(_INSERT_CLAIM, owned)


def add_identities(con: sqlite3.Connection, owned: Iterable[tuple[bytes, int, int]]) -> None:
    """Give row identities to expenses: identity, expense, and the import that does so."""
    con.executemany(_INSERT_IDENTITY, owned)


def count(con: sqlite3.Connection, sums: Iterable[tuple[str, str, int, int, int]]) -> None:
    """Add to the totals of categories: key, name, count, and the sum of minor units in two parts."""
    con.executemany(_COUNT, sums)


def take(con: sqlite3.Connection, expense_ids: Iterable[int], import_id: int | None) -> None:
    """Say which import gave these expenses their row identity, or that none did."""
    con.executemany(_TAKE, ({"id": expense_id, "import_id": import_id} for expense_id in expense_ids))


def listed(con: sqlite3.Connection) -> list[Listed]:
    """All imports, the latest first."""
    return [Listed(*row) for row in con.execute(f"{_IMPORTS} ORDER BY id DESC")]


def find(con: sqlite3.Connection, import_id: int) -> Listed | None:
    """The import of this id."""
    row = con.execute(f"{_IMPORTS} WHERE id = :id", {"id": import_id}).fetchone()
    return None if row is None else Listed(*row)


def brought(con: sqlite3.Connection, found: Listed) -> list[tuple[int, int, int]]:
    """The expenses that an import brought: id, the line of the log that says so, whether it is the last."""
    return list(con.execute(_BROUGHT, found._asdict()))


def mark_undone(
    con: sqlite3.Connection, found: Listed, expense_ids: list[int], at: str, by: int | None
) -> None:
    """Mark an import as undone by deed *by*: the identities of these expenses, deleted now, are nobody's.

    Those that it only recognised and that nobody changed since lose theirs.
    """
    con.execute(_MARK_UNDONE, {"id": found.id, "at": at, "by": by})
    con.execute(_UNDO_ROWS, {"id": found.id, "expense_ids": json.dumps(expense_ids)})
    recognised = [row[0] for row in con.execute(_RECOGNISED, found._asdict())]
    con.execute(_FORGET_ROWS, {"id": found.id, "expense_ids": json.dumps(recognised)})
    take(con, recognised, None)


def moved(con: sqlite3.Connection, by: int) -> set[int]:
    """If deed *by* undid an import: its expenses that are not of that import any more."""
    return {row[0] for row in con.execute(_MOVED, {"by": by})}


def mark_redone(con: sqlite3.Connection, by: int) -> None:
    """If deed *by* undid an import, that is undone itself by now."""
    con.execute(_MARK_REDONE, {"by": by})


def _in_chunks(con: sqlite3.Connection, sql: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows that *sql* finds for all of the values, so many at a time."""
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == CHUNK:
            yield from con.execute(sql.format(values=", ".join("?" * CHUNK)), chunk)
            chunk.clear()
    if chunk:
        yield from con.execute(sql.format(values=", ".join("?" * len(chunk))), chunk)
