"""The file as a whole: can it be used, and a copy of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from expense_lib import files
from expense_lib.domain.results import Health
from expense_lib.store import blueprint, schema
from expense_lib.store.transaction import Transaction

# One row: the journal's mode, and how far a commit goes, as an index of _SYNCHRONOUS.
_MODES = "SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)"
_NEW_GENERATION = "UPDATE ledger SET generation = lower(hex(randomblob(8)))"
_SYNCHRONOUS = ("off", "normal", "full", "extra")


def health(con: sqlite3.Connection) -> Health:
    """Read from the file, and begin a write without waiting; it is taken back, and nothing is on disk."""
    currency = schema.currency(con)
    journal_mode, synchronous = con.execute(_MODES).fetchone()
    busy, writable = False, True
    con.execute("PRAGMA busy_timeout = 0")
    try:
        con.execute("BEGIN IMMEDIATE")  # which a file that can only be read allows
        con.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS)}")
    except sqlite3.OperationalError as error:
        busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
        writable = busy
    finally:
        if con.in_transaction:
            con.execute("ROLLBACK")
        con.execute(f"PRAGMA busy_timeout = {schema.BUSY_TIMEOUT_MS}")
    return Health(
        status="ok" if writable else "read-only",
        writable=writable,
        busy=busy,
        currency=currency.code,
        journal_mode=journal_mode,
        synchronous=_SYNCHRONOUS[synchronous],
    )


def damage(tx: Transaction) -> Iterator[str]:
    """What SQLite itself finds damaged, a sentence each."""
    for (said,) in tx.execute("PRAGMA integrity_check"):
        if said != "ok":
            yield f"SQLite finds: {said}."


def findings(tx: Transaction) -> Iterator[str]:
    """What is wrong with the tables and with what belongs together, a sentence each."""
    for difference in blueprint.differences(tx, schema.MIGRATIONS):
        yield f"The tables are not as they were made: {difference}."
    for table, row, other, _ in tx.execute("PRAGMA foreign_key_check"):
        yield f"Row {row} of {table} belongs to a row of {other} that is not there."


def copy(con: sqlite3.Connection, target: Path) -> None:
    """Write a consistent copy of the file that *con* is open on, of a generation of its own.

    Others go on writing meanwhile. What is damaged is copied as it is.

    Raises:
        LedgerUnavailable: there is a file at *target* already, or it can't be written.
    """
    with files.new_file(target) as part:
        try:
            with closing(sqlite3.connect(part)) as other:
                con.backup(other)
                renew_generation(other)
        except sqlite3.OperationalError as error:
            raise OSError(str(error)) from error


def renew_generation(con: sqlite3.Connection) -> None:
    """Have the ids and versions of the ledger in this file be of another time, unless it is damaged."""
    try:
        with con:
            con.execute(_NEW_GENERATION)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        pass
