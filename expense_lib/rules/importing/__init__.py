"""The rules of importing a statement: which of its rows are known, and what becomes of the others.

Read in this order: ``payments`` (what each row is, whatever is in the ledger), ``matching`` (what becomes of
it), ``verdicts`` (told to whoever asked), ``writing``.
"""

from __future__ import annotations

from typing import get_args

from expense_lib.domain.errors import FieldError, InvalidInput
from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported, Similar
from expense_lib.rules.importing.matching import Decision
from expense_lib.rules.importing.payments import Payments
from expense_lib.rules.importing.verdicts import answer
from expense_lib.rules.importing.writing import write
from expense_lib.store.imports import Position
from expense_lib.store.transaction import Transaction


class Import:
    """A statement to be imported: decided in a snapshot, and written under the lock if it still holds."""

    def __init__(self, tx: Transaction, payments: Payments, similar: Similar, progress: Progress) -> None:
        if similar not in get_args(Similar):
            raise InvalidInput([FieldError("similar", "must be 'import' or 'skip'")])
        self._progress = progress
        self._decision = Decision(tx, payments, skip_similar=similar == "skip")

    def holds(self, tx: Transaction, decided_at: Position) -> bool:
        """Whether it would be decided the same now."""
        return self._decision.holds(tx, decided_at)

    def write(self, tx: Transaction) -> Imported:
        """Import it."""
        return self._answer(write(tx, self._decision, self._progress))

    def dry(self) -> Imported:
        """The result that an import would have; nothing is written."""
        return self._answer(None)

    def _answer(self, import_id: int | None) -> Imported:
        self._decision.settle_copies()
        size = self._decision.payments.size
        self._progress(size, size)
        return answer(self._decision, import_id)


__all__ = ["Import", "Payments"]
