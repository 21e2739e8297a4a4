"""The id of the ledger, by which another ledger's export is told from its own."""

from __future__ import annotations

from expense_lib.store.transaction import Transaction

# One row: the id, one word.
_ID = "SELECT currency || '-' || exponent || '-' || id FROM ledger"


def ledger_id(tx: Transaction) -> str:
    """The ledger's id: a word without spaces or slashes."""
    (found,) = tx.execute(_ID).fetchone()
    return str(found)
