"""A copy of what changed, in a file of its own: DuckDB reads that one, and never the ledger's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

# What the extract has: every expense that changed after line :since of the log, as it is now, and the lines
# since then of those that are not as they were recorded. Amounts are in minor units.
_TABLES = (
    """
    CREATE TABLE extract.expense (
        id INTEGER, amount_minor INTEGER, category TEXT, description TEXT, date TEXT, occurrence INTEGER,
        dedup_key TEXT, version INTEGER, created_at TEXT, updated_at TEXT, deleted_at TEXT, last_seq INTEGER
    )
    """,
    """
    CREATE TABLE extract.line (
        seq INTEGER, number INTEGER, expense_id INTEGER, version INTEGER, kind TEXT, at TEXT,
        amount_minor INTEGER, category TEXT, description TEXT, date TEXT, occurrence INTEGER
    )
    """,
)
_EXPENSES = """
    INSERT INTO extract.expense
    SELECT id, amount_minor, category, description, date, occurrence, dedup_key, version, created_at,
           updated_at, deleted_at, last_seq
      FROM main.expense
"""
_CHANGED = " WHERE id IN (SELECT expense_id FROM main.change WHERE seq > :since)"
_LINES = """
    INSERT INTO extract.line
    SELECT change.seq, COALESCE(change.part_of, change.seq), change.expense_id, change.version,
           change.kind, change.at, change.amount_minor, change.category, change.description, change.date,
           change.occurrence
      FROM main.change
      JOIN main.expense ON expense.id = change.expense_id
     WHERE change.seq > :since AND expense.version > 1
"""
_LAST = "SELECT COALESCE(MAX(seq), 0) FROM main.change"


def write(con: sqlite3.Connection, target: Path, since: int) -> int:
    """Put what changed after line *since* of the log into the empty file *target*, from one snapshot.

    Nothing is written to the ledger.

    Returns:
        The number of the log's last line, which is where the next extract goes on.
    """
    con.execute("ATTACH ? AS extract", (str(target),))
    try:
        con.execute("PRAGMA extract.page_size = 65536")
        con.execute("PRAGMA extract.journal_mode = OFF")
        con.execute("PRAGMA extract.synchronous = OFF")
        for table in _TABLES:
            con.execute(table)
        con.execute("BEGIN")
        try:
            (last,) = con.execute(_LAST).fetchone()
            con.execute(_EXPENSES + (_CHANGED if since else ""), {"since": since})
            con.execute(_LINES, {"since": since})
        finally:
            con.execute("COMMIT")
    finally:
        con.execute("DETACH extract")
    return int(last)
