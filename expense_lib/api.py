"""What a ledger offers, wherever it is: the Protocol that Ledger and RemoteLedger keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from expense_lib.domain.expense import NewExpense
from expense_lib.domain.filters import ExpenseFilter, Filter, SummaryQuery
from expense_lib.domain.limits import MAX_LOG_ENTRIES
from expense_lib.domain.progress import Progress, no_progress
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    Health,
    LogEntry,
    Overview,
    Page,
    Recategorised,
    Receipt,
    Renamed,
    Summary,
    Undecided,
    Undone,
    Version,
)

if TYPE_CHECKING:
    from expense_lib.domain.statement import Import, Imported, Rule, Said
    from expense_lib.statements.plan import Plan


class LedgerAPI(Protocol):
    """The methods of a ledger, in a file or behind a handler; both raise the same errors."""

    def __enter__(self) -> Self:
        """The ledger itself; it is closed at the end of the block."""
        ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Close the ledger."""
        ...

    def close(self) -> None:
        """As ``Ledger.close``."""
        ...

    def of(self, generation: str | None) -> Self:
        """As ``Ledger.of``."""
        ...

    def generation(self) -> str:
        """As ``Ledger.generation``."""
        ...

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """As ``Ledger.record``."""
        ...

    def get(self, expense_id: int) -> Expense:
        """As ``Ledger.get``."""
        ...

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """As ``Ledger.search``."""
        ...

    def overview(self, wanted: ExpenseFilter | None = None) -> Overview:
        """As ``Ledger.overview``."""
        ...

    def position(self) -> str:
        """As ``Ledger.position``."""
        ...

    def amend(self, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Expense:
        """As ``Ledger.amend``."""
        ...

    def delete(self, expense_id: int, version: int | None = None) -> None:
        """As ``Ledger.delete``."""
        ...

    def restore(self, expense_id: int) -> Expense:
        """As ``Ledger.restore``."""
        ...

    def history(self, expense_id: int) -> list[Version]:
        """As ``Ledger.history``."""
        ...

    def categories(self) -> list[CategoryTotal]:
        """As ``Ledger.categories``."""
        ...

    def accounts(self) -> list[CategoryTotal]:
        """As ``Ledger.accounts``."""
        ...

    def summary(self, wanted: SummaryQuery | None = None) -> Summary:
        """As ``Ledger.summary``."""
        ...

    def recategorise(
        self, category: str, *, ids: Sequence[int] | None = None, where: Filter | None = None
    ) -> Recategorised:
        """As ``Ledger.recategorise``."""
        ...

    def rename_category(self, old: str, new: str) -> Renamed:
        """As ``Ledger.rename_category``."""
        ...

    def import_statement(
        self,
        plan: Plan,
        *,
        dry_run: bool = False,
        decisions: Mapping[int, Said] | None = None,
        progress: Progress = no_progress,
    ) -> Imported:
        """As ``Ledger.import_statement``."""
        ...

    def imports(self) -> list[Import]:
        """As ``Ledger.imports``."""
        ...

    def undo_import(self, import_id: int) -> Undone:
        """As ``Ledger.undo_import``."""
        ...

    def undecided(self) -> list[Undecided]:
        """As ``Ledger.undecided``."""
        ...

    def decide(self, expense_id: int, same_as: Said, *, keep_amount: bool = False) -> int | None:
        """As ``Ledger.decide``."""
        ...

    def merge(self, expense_id: int, into: int) -> Expense:
        """As ``Ledger.merge``."""
        ...

    def split(
        self, expense_id: int, parts: Sequence[tuple[Any, str]], version: int | None = None
    ) -> list[Expense]:
        """As ``Ledger.split``."""
        ...

    def rules(self) -> list[Rule]:
        """As ``Ledger.rules``."""
        ...

    def add_rule(self, text: str, category: str | None = None, *, skip: bool = False) -> Rule:
        """As ``Ledger.add_rule``."""
        ...

    def delete_rule(self, rule_id: int) -> None:
        """As ``Ledger.delete_rule``."""
        ...

    def log(self, since: int = 0, limit: int = MAX_LOG_ENTRIES) -> list[LogEntry]:
        """As ``Ledger.log``."""
        ...

    def changes(self, before: int | None = None, limit: int = 50) -> list[Change]:
        """As ``Ledger.changes``."""
        ...

    def undo(self, number: int) -> Undone:
        """As ``Ledger.undo``."""
        ...

    def check(self) -> list[str]:
        """As ``Ledger.check``."""
        ...

    def backup(self, path: str | Path) -> None:
        """As ``Ledger.backup``."""
        ...

    def export_csv(
        self, path: str | Path, wanted: Filter | None = None, progress: Progress = no_progress
    ) -> None:
        """As ``Ledger.export_csv``."""
        ...

    def export_history(self, path: str | Path, progress: Progress = no_progress) -> None:
        """As ``Ledger.export_history``."""
        ...

    def health(self) -> Health:
        """As ``Ledger.health``."""
        ...
