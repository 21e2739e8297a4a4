"""The id of the ledger, by which its exports name it."""

from __future__ import annotations

from expense_lib.store.transaction import Transaction

_ID = "SELECT uid FROM ledger"


def ledger_id(tx: Transaction) -> str:
    """The ledger's random id, made with it: 32 hexadecimal digits."""
    return str(tx.execute(_ID).fetchone()[0])


def announce(tx: Transaction) -> None:
    """Announce that it will be asked."""
    tx.ahead(_ID)
