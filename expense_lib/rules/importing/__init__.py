"""The rules of importing a statement: which of its rows are known, and what becomes of the others.

Read in this order: ``payments`` (what each row is, whatever is in the ledger), ``recognition`` (which rows of
statements it is), ``decision`` (what becomes of it), ``occurrences`` (the keys of what is new), ``validity``
(whether that holds), ``verdicts`` (told to whoever asked), ``writing``.
"""

from __future__ import annotations

from collections.abc import Mapping

from expense_lib.domain.progress import Progress
from expense_lib.domain.statement import Imported, Said
from expense_lib.rules.deciding import decide
from expense_lib.rules.importing.decision import Decision
from expense_lib.rules.importing.payments import Payments
from expense_lib.rules.importing.validity import holds
from expense_lib.rules.importing.verdicts import answer
from expense_lib.rules.importing.writing import write
from expense_lib.store.imports import Position
from expense_lib.store.transaction import Transaction


class Import:
    """A statement to be imported: decided in a snapshot, and written under the lock if it still holds."""

    def __init__(
        self, tx: Transaction, payments: Payments, said: Mapping[int, Said], progress: Progress
    ) -> None:
        self._progress = progress
        self._decision = Decision(tx, payments, said)

    def holds(self, tx: Transaction, decided_at: Position) -> bool:
        """Whether it would be decided the same now."""
        return holds(tx, self._decision, decided_at)

    def write(self, tx: Transaction) -> Imported:
        """Import it."""
        import_id = write(tx, self._decision, self._progress)
        for expense_id, said in self._decision.decided.items():
            decide(tx, expense_id, said, keep_amount=False)
        return self._answer(import_id)

    def dry(self) -> Imported:
        """The result that an import would have; nothing is written."""
        return self._answer(None)

    def _answer(self, import_id: int | None) -> Imported:
        self._decision.settle_copies()
        size = self._decision.payments.size
        self._progress(size, size)
        return answer(self._decision, import_id)


__all__ = ["Import", "Payments"]
