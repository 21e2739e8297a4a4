"""Imports: which rows of statements are known, and which import brought which expense."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from expense_lib.domain.content import FIELDS, Content
from expense_lib.store.transaction import Transaction

CHUNK = 500  # values bound in one statement

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
_ANY_ROW = "SELECT EXISTS (SELECT 1 FROM statement_row)"

# One row: the last line of the log, the rules as one text, the last import and how many are undone.
_POSITION = """
    SELECT (SELECT MAX(seq) FROM log_entry),
           (SELECT group_concat(id || char(1) || text_key || char(1) || category, char(0))
              FROM category_rule),
           (SELECT MAX(id) FROM import),
           (SELECT COUNT(undone_at) FROM import)
"""

_LAST = "SELECT COALESCE(MAX(id), 0) FROM import"

_INSERT_IMPORT = """
    INSERT INTO import (
        id, at, actor, source, account, first_seq, last_seq, created, existing, changed, deleted, skipped, bad
    )
    VALUES (
        :id, :at, :actor, :source, :account, :first_seq, :last_seq,
        :created, :existing, :changed, :deleted, :skipped, :bad
    )
"""

_INSERT_IDENTITY = """
    INSERT INTO statement_row (identity, expense_id, import_id) VALUES (?, ?, ?)
    ON CONFLICT (identity) DO UPDATE
       SET expense_id = excluded.expense_id, import_id = excluded.import_id, undone_seq = NULL
"""
_TAKE = "UPDATE expense SET import_id = :import_id WHERE id = :id"

# Rows as Listed has them.
_IMPORTS = """
    SELECT id, at, actor, source, account, created, existing, changed, deleted, skipped, bad, undone_at,
           first_seq, last_seq
      FROM import
"""
_MARK_UNDONE = "UPDATE import SET undone_at = :at, undone_by = :by WHERE id = :id"
_MARK_REDONE = "UPDATE import SET undone_at = NULL, undone_by = NULL WHERE undone_by = :by"

# Rows: ids of the expenses that an import brought into the ledger, and FIELDS as the entry that says so has
# them; without those that its undo deleted and nobody touched since.
_BROUGHT = f"""
    SELECT expense.id, {", ".join(f"log_entry.{name}" for name in FIELDS)}
      FROM log_entry
      JOIN expense ON expense.id = log_entry.expense_id
     WHERE log_entry.seq BETWEEN :first_seq AND :last_seq
       AND log_entry.kind IN ('created', 'restored')
       AND expense.import_id = :id
       AND expense.id NOT IN (
           SELECT expense_id
             FROM statement_row
             JOIN expense ON expense.id = expense_id
            WHERE statement_row.import_id = :id AND undone_seq = last_seq
       )
     ORDER BY log_entry.seq
"""

# Rows: ids of expenses that the undo of an import deleted, and whose payments are other expenses by now.
_MOVED = """
    SELECT expense.id
      FROM import
      JOIN log_entry ON log_entry.seq = undone_by OR log_entry.part_of = undone_by
      JOIN expense ON expense.id = log_entry.expense_id
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


class Position(NamedTuple):
    """A fingerprint of everything that a decision depends on: the log, the category rules, the imports."""

    last_seq: int
    rules: str | None
    imports: tuple[int | None, ...]

    def token(self) -> str:
        """The same as one short text."""
        return f"{self.last_seq}-{zlib.crc32(repr(self[1:]).encode()):08x}"


class Listed(NamedTuple):
    """An import. Its lines in the log are *first_seq* to *last_seq*."""

    id: int
    at: str
    by: str
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


def position(tx: Transaction) -> Position:
    """Where the ledger is. As long as it stays there, whatever was decided before still holds."""
    last_seq, rules, *of_imports = tx.execute(_POSITION).fetchone()
    return Position(last_seq or 0, rules, tuple(of_imports))


def known(tx: Transaction, identities: Iterable[bytes]) -> Iterator[Known]:
    """Those of the identities that were seen before; faster if they come sorted."""
    if tx.execute(_ANY_ROW).fetchone() == (1,):
        for found in _in_chunks(tx, _KNOWN, identities):
            yield Known(*found)


def without_identity(tx: Transaction, first: str, last: str) -> Iterator[tuple[str, int, int, str]]:
    """Live expenses from one day to another that have no row identity: date, id, minor units, description."""
    yield from tx.execute(_WITHOUT_IDENTITY, {"first": first, "last": last})


def live(
    tx: Transaction, first: str, last: str, not_of: set[str] | None = None
) -> Iterator[tuple[str, int, int, str]]:
    """Live expenses from one day to another: date, id, minor units, the description's key.

    Args:
        tx: The transaction.
        first: The first day.
        last: The last day.
        not_of: Accounts; expenses from their statements are left out.
    """
    values = {"first": first, "last": last, "accounts": json.dumps(list(not_of or ()))}
    yield from tx.execute(_LIVE.format(condition=_OF_OTHER_ACCOUNTS if not_of else ""), values)


def last_categories(tx: Transaction, description_keys: set[str]) -> dict[str, str]:
    """The category's key of the latest live expense of each description, where there is one."""
    found = tx.execute(_CATEGORISED) if description_keys else ()
    return {description: category for description, category in found if description in description_keys}


def next_id(tx: Transaction) -> int:
    """The first free id of an import."""
    return int(tx.execute(_LAST).fetchone()[0]) + 1


def add_import(tx: Transaction, values: dict[str, Any]) -> None:
    """Put down that there was an import."""
    tx.execute(_INSERT_IMPORT, values)


def add_identities(tx: Transaction, owned: Iterable[tuple[bytes, int, int]]) -> None:
    """Give row identities to expenses: identity, expense, and the import that does so."""
    tx.executemany(_INSERT_IDENTITY, owned)


def take(tx: Transaction, expense_ids: Iterable[int], import_id: int | None) -> None:
    """Say which import gave these expenses their row identity, or that none did."""
    tx.executemany(_TAKE, ({"id": expense_id, "import_id": import_id} for expense_id in expense_ids))


def listed(tx: Transaction) -> list[Listed]:
    """All imports, the latest first."""
    return [Listed(*row) for row in tx.execute(f"{_IMPORTS} ORDER BY id DESC")]


def find(tx: Transaction, import_id: int) -> Listed | None:
    """The import of this id."""
    row = tx.execute(f"{_IMPORTS} WHERE id = :id", {"id": import_id}).fetchone()
    return None if row is None else Listed(*row)


def brought(tx: Transaction, found: Listed) -> list[tuple[int, Content]]:
    """The expenses that an import brought, each with its content at that time."""
    return [(row[0], Content(*row[1:])) for row in tx.execute(_BROUGHT, found._asdict())]


def mark_undone(tx: Transaction, found: Listed, expense_ids: list[int], by: int | None) -> None:
    """Mark an import as undone by change *by*: the identities of these expenses, deleted now, are nobody's.

    Those that it only recognised and that nobody changed since lose theirs.
    """
    tx.execute(_MARK_UNDONE, {"id": found.id, "at": tx.at, "by": by})
    tx.execute(_UNDO_ROWS, {"id": found.id, "expense_ids": json.dumps(expense_ids)})
    recognised = [row[0] for row in tx.execute(_RECOGNISED, found._asdict())]
    tx.execute(_FORGET_ROWS, {"id": found.id, "expense_ids": json.dumps(recognised)})
    take(tx, recognised, None)


def moved(tx: Transaction, by: int) -> set[int]:
    """If change *by* undid an import: its expenses that are not of that import any more."""
    return {row[0] for row in tx.execute(_MOVED, {"by": by})}


def mark_redone(tx: Transaction, by: int) -> None:
    """If change *by* undid an import, that is undone itself by now."""
    tx.execute(_MARK_REDONE, {"by": by})


def _in_chunks(tx: Transaction, sql: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows that *sql* finds for all of the values, so many at a time."""
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == CHUNK:
            yield from tx.execute(sql.format(values=", ".join("?" * CHUNK)), chunk)
            chunk.clear()
    if chunk:
        yield from tx.execute(sql.format(values=", ".join("?" * len(chunk))), chunk)
