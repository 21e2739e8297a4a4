"""Which ledger it is, and of which time: its id and its generation."""

from __future__ import annotations

from expense_lib.store.transaction import Transaction

_ID = "SELECT uid FROM ledger"
_GENERATION = "SELECT generation FROM ledger"


def ledger_id(tx: Transaction) -> str:
    """The ledger's random id, made with it: 32 hexadecimal digits."""
    return str(tx.execute(_ID).fetchone()[0])


def announce(tx: Transaction) -> None:
    """Announce that it will be asked."""
    tx.ahead(_ID)


def generation(tx: Transaction) -> str:
    """The ledger's generation, another whenever it goes back to a backup: 16 random hexadecimal digits."""
    return str(tx.execute(_GENERATION).fetchone()[0])
