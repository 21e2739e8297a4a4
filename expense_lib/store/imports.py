"""Imports: which rows of statements are known, and which import brought which expense."""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

from expense_lib.store.transaction import Transaction

CHUNK = 500  # values bound in one statement

# One row: the last line of the log, the generation, the last import and how many are undone.
_POSITION = """
    SELECT (SELECT MAX(seq) FROM log_entry),
           (SELECT generation FROM ledger),
           (SELECT MAX(id) FROM import),
           (SELECT COUNT(undone_at) FROM import)
"""

_LAST = "SELECT COALESCE(MAX(id), 0) FROM import"

_NUMBERS = ("created", "existing", "joined", "held", "changed", "deleted", "skipped", "bad")
_IMPORT = ("id", "at", "actor", "source", "account", "layout", "first_seq", "last_seq", *_NUMBERS)
_INSERT_IMPORT = f"""
    INSERT INTO import ({", ".join(_IMPORT)}) VALUES ({", ".join(f":{name}" for name in _IMPORT)})
"""

# Rows as Listed has them.
_IMPORTS = f"""
    SELECT id, at, actor, source, account, {", ".join(_NUMBERS)}, undone_at, first_seq, last_seq
      FROM import
"""
_MARK_UNDONE = "UPDATE import SET undone_at = :at, undone_by = :by WHERE id = :id"
_MARK_REDONE = "UPDATE import SET undone_at = NULL, undone_by = NULL WHERE undone_by = :by"

# Rows: ids of the expenses of which this import alone tells, of all that are not undone.
_ALONE = """
    SELECT DISTINCT told.expense_id
      FROM statement_row AS told
      JOIN import AS first ON first.id = told.import_id
     WHERE (told.import_id = :id OR told.id IN (SELECT row_id FROM witness WHERE import_id = :id))
       AND (told.import_id = :id OR first.undone_at IS NOT NULL)
       AND NOT EXISTS (
           SELECT 1
             FROM witness
             JOIN import AS other ON other.id = witness.import_id
            WHERE witness.row_id = told.id AND other.id <> :id AND other.undone_at IS NULL
       )
       AND NOT EXISTS (
           SELECT 1
             FROM statement_row AS more
             JOIN import AS source ON source.id = more.import_id
            WHERE more.expense_id = told.expense_id
              AND more.id <> told.id
              AND ((source.id <> :id AND source.undone_at IS NULL) OR EXISTS (
                  SELECT 1
                    FROM witness
                    JOIN import AS other ON other.id = witness.import_id
                   WHERE witness.row_id = more.id AND other.id <> :id AND other.undone_at IS NULL
              ))
       )
     ORDER BY told.expense_id
"""
_UNDONE_BY = "SELECT undone_by FROM import WHERE undone_by IS NOT NULL"
_OF_CHANGE = """
    SELECT id
      FROM import
     WHERE :number BETWEEN first_seq AND last_seq AND undone_at IS NULL
       AND EXISTS (SELECT 1 FROM log_entry WHERE seq = :number AND version <> 1)
"""

# Rows: ids of expenses that the undo of an import deleted, and whose payments are other expenses by now.
_MOVED = """
    SELECT log_entry.expense_id
      FROM import
      JOIN log_entry ON log_entry.seq = undone_by OR log_entry.part_of = undone_by
     WHERE undone_by = :by
       AND NOT EXISTS (SELECT 1 FROM statement_row WHERE statement_row.expense_id = log_entry.expense_id)
"""


class Position(NamedTuple):
    """A fingerprint of all that a decision depends on: the log of this generation, and the imports."""

    last_seq: int
    generation: str
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
    joined: int
    held: int
    changed: int
    deleted: int
    skipped: int
    bad: int
    undone_at: str | None
    first_seq: int
    last_seq: int


def position(tx: Transaction) -> Position:
    """Where the ledger is. As long as it stays there, whatever was decided before still holds."""
    last_seq, generation, *of_imports = tx.execute(_POSITION).fetchone()
    return Position(last_seq or 0, generation, tuple(of_imports))


def announce_position(tx: Transaction) -> None:
    """Announce that ``position`` will be asked."""
    tx.ahead(_POSITION)


def announce_undone_by(tx: Transaction) -> None:
    """Announce that ``undone_by`` will be asked."""
    tx.ahead(_UNDONE_BY)


def announce_of_change(tx: Transaction, number: int) -> None:
    """Announce that ``of_change`` and ``moved`` will be asked."""
    tx.ahead(_OF_CHANGE, {"number": number})
    tx.ahead(_MOVED, {"by": number})


def next_id(tx: Transaction) -> int:
    """The first free id of an import."""
    return int(tx.execute(_LAST).fetchone()[0]) + 1


def add_import(tx: Transaction, values: dict[str, Any]) -> None:
    """Put down that there was an import."""
    tx.execute(_INSERT_IMPORT, values)


def listed(tx: Transaction) -> list[Listed]:
    """All imports, the latest first."""
    return [Listed(*row) for row in tx.execute(f"{_IMPORTS} ORDER BY id DESC")]


def find(tx: Transaction, import_id: int) -> Listed | None:
    """The import of this id."""
    row = tx.execute(f"{_IMPORTS} WHERE id = :id", {"id": import_id}).fetchone()
    return None if row is None else Listed(*row)


def of_change(tx: Transaction, number: int) -> int | None:
    """The import that change *number* is part of, unless it is undone; not for what it added."""
    row = tx.execute(_OF_CHANGE, {"number": number}).fetchone()
    return None if row is None else int(row[0])


def alone(tx: Transaction, import_id: int) -> list[int]:
    """The expenses of which this import alone tells, by id."""
    return [row[0] for row in tx.execute(_ALONE, {"id": import_id})]


def undone_by(tx: Transaction) -> set[int]:
    """The numbers of the changes that undid an import."""
    return {row[0] for row in tx.execute(_UNDONE_BY)}


def mark_undone(tx: Transaction, import_id: int, by: int) -> None:
    """Mark an import as undone by change *by*: it tells of nothing any more."""
    tx.execute(_MARK_UNDONE, {"id": import_id, "at": tx.at, "by": by})


def moved(tx: Transaction, by: int) -> set[int]:
    """If change *by* undid an import: its expenses that are not of that import any more."""
    return {row[0] for row in tx.execute(_MOVED, {"by": by})}


def mark_redone(tx: Transaction, by: int) -> None:
    """If change *by* undid an import, that is undone itself by now."""
    tx.execute(_MARK_REDONE, {"by": by})
