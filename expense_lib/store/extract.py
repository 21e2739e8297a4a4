"""A copy of what changed, in a file of its own: DuckDB reads that one, and never the ledger's."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from expense_lib.domain.content import FIELDS
from expense_lib.store.transaction import Transaction

# What the extract has: every expense that changed after entry :since of the log, as it is now, and the
# entries since then of those that are not as they were recorded, or that somebody signed. Amounts are in
# minor units.
_EXPENSE = ("id", *FIELDS, "dedup_key", "version", "created_at", "updated_at", "deleted_at", "last_seq")
_ENTRY = ("seq", "number", "actor", "expense_id", "version", "kind", "at", *FIELDS)
_INTEGERS = {"id", "amount_minor", "occurrence", "version", "last_seq", "seq", "number", "expense_id"}


def _table(name: str, columns: tuple[str, ...]) -> str:
    """The statement that makes a table of the extract."""
    typed = (f"{column} {'INTEGER' if column in _INTEGERS else 'TEXT'}" for column in columns)
    return f"CREATE TABLE extract.{name} ({', '.join(typed)})"


_TABLES = (_table("expense", _EXPENSE), _table("entry", _ENTRY))
_EXPENSES = f"SELECT {', '.join(_EXPENSE)} FROM expense"
_CHANGED = " WHERE id IN (SELECT expense_id FROM log_entry WHERE seq > :since)"
_ENTRIES = f"""
    SELECT entry.seq, COALESCE(entry.part_of, entry.seq), entry.actor, entry.expense_id, entry.version,
           entry.kind, entry.at, {", ".join(f"entry.{name}" for name in FIELDS)}
      FROM log_entry AS entry
      JOIN expense ON expense.id = entry.expense_id
     WHERE entry.seq > :since AND (expense.version > 1 OR entry.actor <> '')
"""
_LINE_AT = "SELECT at, generation FROM ledger JOIN log_entry ON seq = :seq"
_LAST = """
    SELECT COALESCE(seq, 0), at, generation
      FROM ledger
      LEFT JOIN (SELECT seq, at FROM log_entry ORDER BY seq DESC LIMIT 1) AS last ON TRUE
"""

# A line of the log, by its number, its time and the ledger's generation; 0 and no time before the first.
Line = tuple[int, str | None, str]


def write(con: sqlite3.Connection, target: Path, known: Line) -> Line | None:
    """Put what changed after a known line of the log into the empty file *target*, from one snapshot.

    Nothing is written to the ledger.

    Args:
        con: A connection to the ledger.
        target: The file.
        known: The line.

    Returns:
        The log's last line. None, and nothing is put, if the log does not have the line *known*, or is of
        another generation.
    """
    since, *as_known = known
    (kept_from_writing,) = con.execute("PRAGMA query_only").fetchone()
    try:
        con.execute("PRAGMA query_only = OFF")  # the ledger is only read
        con.execute("ATTACH ? AS extract", (str(target),))
        con.execute("PRAGMA extract.page_size = 65536")
        con.execute("PRAGMA extract.journal_mode = OFF")
        con.execute("PRAGMA extract.synchronous = OFF")
        con.execute("BEGIN")
        for table in _TABLES:
            con.execute(table)
        last = None
        if since == 0 or con.execute(_LINE_AT, {"seq": since}).fetchone() == (*as_known,):
            last = con.execute(_LAST).fetchone()
            con.execute(
                f"INSERT INTO extract.expense {_EXPENSES}{_CHANGED if since else ''}", {"since": since}
            )
            con.execute(f"INSERT INTO extract.entry {_ENTRIES}", {"since": since})
        con.execute("COMMIT")
        con.execute("DETACH extract")
    except BaseException:
        with suppress(sqlite3.Error):
            if con.in_transaction:
                con.execute("ROLLBACK")
            con.execute("DETACH extract")
        raise
    finally:
        con.execute(f"PRAGMA query_only = {kept_from_writing}")
    return last


def columns(table: str) -> dict[str, str]:
    """The columns of a table of the extract, in order, with DuckDB's type of each as it is extracted."""
    names = _EXPENSE if table == "expense" else _ENTRY
    return {name: "BIGINT" if name in _INTEGERS else "VARCHAR" for name in names}


def last_line(tx: Transaction, known: Line) -> Line | None:
    """The log's last line; None if the log does not have the line *known*, or is of another generation."""
    since, *as_known = known
    if since and tx.execute(_LINE_AT, {"seq": since}).fetchone() != (*as_known,):
        return None
    found: Line = tx.execute(_LAST).fetchone()
    return found


def statements(known: Line) -> dict[str, str]:
    """What gives the rows of each table, for ``:since``, which is the number of the line *known*."""
    return {"expense": _EXPENSES + (_CHANGED if known[0] else ""), "entry": _ENTRIES}
