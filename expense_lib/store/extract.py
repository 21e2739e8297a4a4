"""A copy of what changed, in a file of its own: DuckDB reads that one, and never the ledger's."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
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
_LINE_AT = "SELECT at FROM main.change WHERE seq = :seq"
_LAST = "SELECT seq, at FROM main.change ORDER BY seq DESC LIMIT 1"


Line = tuple[int, str | None]  # a line of the log, by its number and its time; 0 and None before the first


def write(con: sqlite3.Connection, target: Path, known: Line) -> Line | None:
    """Put what changed after a known line of the log into the empty file *target*, from one snapshot.

    Nothing is written to the ledger.

    Args:
        con: A connection to the ledger.
        target: The file.
        known: The line.

    Returns:
        The log's last line. None, and nothing is put, if the log does not have the line *known*.
    """
    since, at = known
    try:
        con.execute("ATTACH ? AS extract", (str(target),))
        con.execute("PRAGMA extract.page_size = 65536")
        con.execute("PRAGMA extract.journal_mode = OFF")
        con.execute("PRAGMA extract.synchronous = OFF")
        con.execute("BEGIN")
        for table in _TABLES:
            con.execute(table)
        last = None
        if since == 0 or con.execute(_LINE_AT, {"seq": since}).fetchone() == (at,):
            last = con.execute(_LAST).fetchone() or (0, None)
            con.execute(_EXPENSES + (_CHANGED if since else ""), {"since": since})
            con.execute(_LINES, {"since": since})
        con.execute("COMMIT")
        con.execute("DETACH extract")
    except BaseException:
        with suppress(sqlite3.Error):
            if con.in_transaction:
                con.execute("ROLLBACK")
            con.execute("DETACH extract")
        raise
    return last
