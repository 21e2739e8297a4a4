"""The file as a whole: can it be used, is it sound, and a copy of it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from expense_lib import files
from expense_lib.domain.keys import Content
from expense_lib.domain.results import Health
from expense_lib.domain.text import fold
from expense_lib.store import expenses, schema
from expense_lib.store.schema import HALF

# Rows: the log, each line with its expense as it is now.
_LOG = """
    SELECT change.expense_id, change.version, change.kind, change.seq, change.previous,
           change.amount_minor, change.category, change.description, change.date, change.occurrence,
           expense.version, expense.deleted_at IS NOT NULL, expense.dedup_key, expense.last_seq,
           expense.category_key, expense.description_key,
           expense.amount_minor, expense.category, expense.description, expense.date, expense.occurrence
      FROM change
      JOIN expense ON expense.id = change.expense_id
     ORDER BY change.expense_id, change.version
"""

_OWNER = "SELECT expense_id FROM claim WHERE key = :key"

# Rows: expenses whose number of log lines is not their version.
_UNLOGGED = """
    SELECT expense.id
      FROM expense
      LEFT JOIN change ON change.expense_id = expense.id
     GROUP BY expense.id
    HAVING COUNT(change.seq) <> expense.version OR MAX(change.version) <> expense.version
"""

# Rows: categories whose kept count and sum are not those of their live expenses.
_MISCOUNTED = f"""
    WITH live AS (
        SELECT category_key AS key, COUNT(*) AS count, SUM(amount_minor / {HALF}) AS high,
               SUM(amount_minor % {HALF}) AS low
          FROM expense
         WHERE deleted_at IS NULL
         GROUP BY category_key
    )
    SELECT COALESCE(category.key, live.key)
      FROM category
      FULL JOIN live ON live.key = category.key
     WHERE (category.count, category.total_high, category.total_low) IS NOT (live.count, live.high, live.low)
"""

# Rows: expenses that an import gave a row identity, without one.
_WITHOUT_IDENTITY = """
    SELECT id
      FROM expense
     WHERE import_id IS NOT NULL AND id NOT IN (SELECT expense_id FROM statement_row)
"""

# One row: the journal's mode, and how far a commit goes, as an index of _SYNCHRONOUS.
_MODES = "SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)"
_SYNCHRONOUS = ("off", "normal", "full", "extra")


def health(con: sqlite3.Connection) -> Health:
    """Read from the file, and begin a write without waiting and without writing."""
    currency = expenses.currency(con)
    journal_mode, synchronous = con.execute(_MODES).fetchone()
    busy, writable = False, True
    con.execute("PRAGMA busy_timeout = 0")
    try:
        con.execute("BEGIN IMMEDIATE")
        con.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        writable = busy
    finally:
        con.execute(f"PRAGMA busy_timeout = {schema.BUSY_TIMEOUT_MS}")
    return Health(
        status="ok" if writable else "read-only",
        writable=writable,
        busy=busy,
        currency=currency.code,
        journal_mode=journal_mode,
        synchronous=_SYNCHRONOUS[synchronous],
    )


def findings(con: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with a ledger, a sentence each; nothing if it is sound. Works inside a transaction."""
    for (said,) in con.execute("PRAGMA integrity_check"):
        if said != "ok":
            yield f"SQLite finds: {said}."
    for table, row, other, _ in con.execute("PRAGMA foreign_key_check"):
        yield f"Row {row} of {table} belongs to a row of {other} that is not there."
    for (key,) in con.execute(_MISCOUNTED):
        yield f"Category {key}: its kept total is not the sum of its expenses."
    for (expense_id,) in con.execute(_UNLOGGED):
        yield f"Expense {expense_id}: its log is not complete."
    for (expense_id,) in con.execute(_WITHOUT_IDENTITY):
        yield f"Expense {expense_id}: it has no row identity, though an import gave it one."
    yield from _of_the_log(con)


def _of_the_log(con: sqlite3.Connection) -> Iterator[str]:
    """Every key recomputed from what was logged, and the last line of each expense against the expense."""
    before: int | None = None
    for row in con.execute(_LOG):
        expense_id, version, kind, seq, previous = row[:5]
        last_version, deleted, dedup_key, last_seq, category_key, description_key = row[10:16]
        minor, category, description, date, occurrence = logged = row[5:10]
        content = Content(minor, fold(category), description, dt.date.fromisoformat(date))
        key = content.dedup_key(occurrence)
        owner = con.execute(_OWNER, {"key": key}).fetchone()
        if owner is None or owner[0] != expense_id:
            yield f"Expense {expense_id}: the key of its version {version} is not its own."
        if version == 1 and key != dedup_key:
            yield f"Expense {expense_id}: its dedup key is not that of what was recorded."
        if previous != (None if version == 1 else before):
            yield f"Expense {expense_id}: the log of its version {version} does not lead to the one before."
        before = seq
        if version == last_version:
            expected = (kind == "deleted", seq, fold(category), fold(description), logged)
            if (bool(deleted), last_seq, category_key, description_key, row[16:]) != expected:
                yield f"Expense {expense_id}: it is not as its log says."


def copy(con: sqlite3.Connection, target: Path) -> None:
    """Write a consistent copy of the file that *con* is open on, while others go on writing.

    Raises:
        LedgerUnavailable: there is a file at *target* already, or it can't be written.
    """
    with files.new_file(target) as part, closing(sqlite3.connect(part)) as other:
        con.backup(other)
