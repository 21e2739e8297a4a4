"""What changed, for analysis: copied out of the database as CSV, as fast as it is sent."""

from __future__ import annotations

from pathlib import Path

from expense_lib.store import extract
from expense_lib.store.extract import Line
from expense_lib.store.postgres.session import Session
from expense_lib.store.transaction import Transaction


def write(con: Session, target: Path, known: Line) -> Line | None:
    """As ``extract.write``, in a transaction that reads; each table to a file of its own beside *target*."""
    last = extract.last_line(Transaction(con, con.ledger.currency), known)
    if last is not None:
        for table, sql in extract.statements(known).items():
            with Path(f"{target}.{table}").open("wb") as file:
                con.copy_out(sql, {"since": known[0]}, file)
    return last
