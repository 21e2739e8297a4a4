"""The ledger: what can be done with one SQLite file, each call one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from expense_lib import files, presenting
from expense_lib.domain import cursor
from expense_lib.domain.errors import CurrencyError, ExpenseDeleted, LedgerDamaged, RuleNotFound
from expense_lib.domain.expense import NewExpense, read_category, read_changes
from expense_lib.domain.filters import ExpenseFilter, Filter, SummaryQuery, read_move
from expense_lib.domain.limits import MAX_ID, MAX_LOG_ENTRIES, MAX_PAGE
from expense_lib.domain.progress import Progress, no_progress
from expense_lib.domain.results import (
    CategoryTotal,
    Change,
    Expense,
    Health,
    LogEntry,
    Page,
    Recategorised,
    Receipt,
    Renamed,
    Summary,
    Undone,
    Version,
)
from expense_lib.rules import editing, recording, undoing
from expense_lib.store import category_rules, expenses, imports, integrity, queries
from expense_lib.store.expenses import Row
from expense_lib.store.sqlite import close, closed_to, connection, transaction

if TYPE_CHECKING:
    from expense_lib.domain.statement import Import, Imported, Rule, Similar
    from expense_lib.statements.plan import Plan

# ruff: noqa: PLC0415 - imports and exports are loaded when they are asked for: recording starts sooner


class Ledger:
    """An expense ledger in the SQLite file at *path*, made in *currency* (ISO 4217) if it is not there.

    Any number of processes and threads may use one file, and any number of threads one Ledger. When a method
    that changes something returns, the change is on disk, whole; when it raises, nothing was changed.

    A Ledger is a cheap handle: threads keep connections to the files that they used last, whichever handle
    named them. ``close``, or ``with`` around its use, releases those to this file.

    Every method raises LedgerUnavailable when the file can't be used: LedgerBusy when another writer holds it
    too long, LedgerMoved when it was removed or replaced, LedgerDamaged when SQLite finds it damaged.

    Raises:
        CurrencyError: *currency* is given, and the file is kept in another one.
        LedgerUnavailable: the file can't be opened or made, or is no ledger.
    """

    def __init__(self, path: str | Path, currency: str | None = None) -> None:
        self.path = files.absolute(path)
        self._name = os.fspath(self.path)  # hashed for every use: a text is faster than a Path
        with connection(self._name, currency, make=True) as con:
            self.currency = expenses.currency(con)
        if currency not in (None, self.currency.code):
            raise CurrencyError(f"This ledger is kept in {self.currency.code}, not in {currency}.")

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r}, {self.currency.code!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Close this process's connections to the file, those of other threads and handles too.

        A call that another thread is in the middle of goes on, and closes its connection when it returns. A
        ledger that is used again opens its file again, and any number of calls of this do no harm.
        """
        close(self.path)

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """Have *new* in the ledger once.

        Without a key, the same content is the same payment: sending it again finds it, however it was edited
        since. With a key not seen before, it is another payment, which takes the next free occurrence unless
        *new* names one.

        Raises:
            AmountError: the amount is finer or larger than the ledger's currency allows.
            IdempotencyKeyError: the key is malformed.
            IdempotencyKeyReused: the key was first sent with another body.
            RecordedThenDeleted: it was recorded and then deleted, and does not come back by itself.
        """
        sent = recording.Submission(new, self.currency, idempotency_key)
        with self._connection() as con:
            row, created = recording.known(con, sent), False
            if row is None:
                try:
                    with transaction(con, write=True):
                        row, created = recording.added(con, sent)
                except sqlite3.IntegrityError:  # somebody recorded it meanwhile: a key has one owner
                    row = recording.known(con, sent)
                    if row is None:
                        raise
        return Receipt(created=created, expense=presenting.expense(row, self.currency))

    def get(self, expense_id: int) -> Expense:
        """The expense of this id.

        Raises:
            ExpenseNotFound, ExpenseDeleted: there is none, or no longer.
        """
        with self._connection() as con:
            row = recording.found(con, expense_id)
        if row.deleted_at is not None:
            raise ExpenseDeleted(expense_id)
        return presenting.expense(row, self.currency)

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """A page of the expenses that match, with count and total of all that do, from one snapshot.

        Raises:
            CursorError: the filter's cursor is none that a page of this sort gave.
            AmountError: a bound is finer than the ledger's currency.
        """
        wanted = wanted or ExpenseFilter()
        after = None if wanted.cursor is None else cursor.read(wanted.cursor, wanted.sort)
        with self._reading() as con:
            found = queries.page(con, wanted, after, self.currency)
            matching = queries.total(con, wanted, self.currency, found if after is None else None)
        more, found = len(found) > wanted.limit, found[: wanted.limit]
        return Page(
            items=tuple(presenting.expense(row, self.currency) for row in found),
            count=matching.count,
            total=self.currency.from_minor(matching.total_minor),
            currency=self.currency.code,
            next_cursor=_cursor(wanted, found[-1]) if more else None,
        )

    def amend(self, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Expense:
        """Change fields of an expense that is at *version*; None is whichever version it is at.

        The new content is claimed too, so that a statement that has it does not add it again. If it is
        another expense's, this one takes the next free occurrence. Sent again after its answer was lost, an
        edit is done already and the expense stays as it is.

        Args:
            expense_id: Whose fields.
            changes: Any of ExpenseChanges' fields; the result must be acceptable as a NewExpense.
            version: The version that was looked at when deciding on the changes.

        Raises:
            ExpenseNotFound, ExpenseDeleted: there is none, or no longer.
            StaleVersion: it was changed since.
            InvalidInput: what it would become can't be accepted.
        """
        given = read_changes(changes)
        with self._writing() as con:
            row = editing.amend(con, self.currency, expense_id, given, version)
        return presenting.expense(row, self.currency)

    def delete(self, expense_id: int, version: int | None = None) -> None:
        """Delete an expense; it keeps its id, its keys and its history. A deleted one stays deleted.

        Raises:
            ExpenseNotFound: there is none.
            StaleVersion: *version* is given, and the expense was changed since.
        """
        with self._writing() as con:
            editing.delete(con, expense_id, version)

    def restore(self, expense_id: int) -> Expense:
        """Bring a deleted expense back under its id. A live one stays as it is.

        Raises:
            ExpenseNotFound: there is none.
        """
        with self._writing() as con:
            row = editing.restore(con, expense_id)
        return presenting.expense(row, self.currency)

    def history(self, expense_id: int) -> list[Version]:
        """Every version of an expense, live or deleted, the first one first.

        Raises:
            ExpenseNotFound: there is none.
        """
        with self._reading() as con:
            recording.found(con, expense_id)
            lines = queries.history(con, expense_id)
        return [presenting.version(line, self.currency) for line in lines]

    def categories(self) -> list[CategoryTotal]:
        """Every category that has expenses, by name, with their count and exact total."""
        with self._connection() as con:
            found = queries.categories(con)
        return [presenting.category(name, total, self.currency) for name, total in found]

    def summary(self, wanted: SummaryQuery | None = None) -> Summary:
        """The exact totals of the expenses that match, by month, by category or both, from one snapshot.

        Raises:
            AmountError: a bound is finer than the ledger's currency.
        """
        with self._reading() as con:
            parts = queries.summary(con, wanted or SummaryQuery(), self.currency)
        return presenting.summary(parts, self.currency)

    def recategorise(
        self, category: str, *, ids: Sequence[int] | None = None, where: Filter | None = None
    ) -> Recategorised:
        """Move expenses to another category, each as ``amend`` would; one change, which can be undone as one.

        Those that are in it already, and deleted ones, stay as they are.

        Args:
            category: The name; how it is spelled, unless it has a spelling already.
            ids: Which expenses, at most as many as a page can have.
            where: Or all that match. ``Filter()`` is every one there is.

        Raises:
            ExpenseNotFound: one of the *ids* never was. Nothing was moved.
            InvalidInput: the name is none, there are too many *ids*, or not one of both is given.
            AmountError: a bound is finer than the ledger's currency.
        """
        move = read_move(category, ids, where)
        with self._writing() as con:
            number, count, name = editing.recategorise(con, self.currency, move)
        return Recategorised(number=number, count=count, category=name)

    def rename_category(self, old: str, new: str) -> Renamed:
        """Rename a category, or merge it into the one of that name; one change, which can be undone as one.

        The old name is no alias afterwards: sent later, it starts that category anew.

        Returns:
            The category in which the expenses are now, and the number of the change.

        Raises:
            CategoryNotFound: no expense has the old one.
            InvalidInput: the new name is none.
        """
        name = read_category(new)
        with self._writing() as con:
            number, key = editing.rename_category(con, old, name)
            total = queries.category(con, key)
        return Renamed(number=number, **dict(presenting.category(*total, self.currency)))

    def import_statement(
        self,
        plan: Plan,
        *,
        dry_run: bool = False,
        similar: Similar = "import",
        progress: Progress = no_progress,
    ) -> Imported:
        """Have each payment of a statement in the ledger once, whatever overlapping statements came before.

        A row that is known is left alone; all others are added, equal ones as well. All or nothing. The
        file's lock is held while rows are written, not while they are looked at.

        Args:
            plan: What ``statements.read`` made of a file.
            dry_run: Find out what would become of each row, and write nothing.
            similar: Whether to ``"skip"`` rows that look like an expense that is there, of the same amount
                within three days but with another description.
            progress: Called now and then with how many rows are done, of how many. To it this ledger is busy.
        """
        from expense_lib.rules import importing

        told = closed_to(progress, self._name)
        with self._connection() as con:
            return importing.run(con, self.currency, plan, similar, told, dry_run=dry_run)

    def imports(self) -> list[Import]:
        """Every statement that was imported, the latest first."""
        from expense_lib.domain.statement import Import

        with self._connection() as con:
            found = imports.listed(con)
        return [Import.model_validate(each, from_attributes=True) for each in found]

    def undo_import(self, import_id: int) -> Undone:
        """Take back what an import brought, in one change, wherever nobody changed it since.

        Importing the statement again brings the same expenses back. What was changed or deleted since is
        kept as it is, and known as before.

        Raises:
            ImportNotFound: there is no such import.
        """
        with self._writing() as con:
            return undoing.undo_import(con, import_id)

    def rules(self) -> list[Rule]:
        """Every rule by which an import finds categories, in the order in which they are tried."""
        from expense_lib.domain.statement import Rule

        with self._connection() as con:
            found = category_rules.listed(con)
        return [Rule(id=rule_id, text=text, category=category) for rule_id, text, category in found]

    def add_rule(self, text: str, category: str) -> Rule:
        """Have payments whose description has *text*, whatever its case, imported in *category*.

        Of two rules, the one with the longer text is tried first. A rule of the same text is replaced. What
        is in the ledger already stays as it is.

        Raises:
            InvalidInput: the text is empty, or the category is none.
        """
        from expense_lib.domain.statement import Rule, read_rule

        new = read_rule(text, category)
        with self._writing() as con:
            rule_id, text, category = category_rules.add(con, new.text, new.category)
        return Rule(id=rule_id, text=text, category=category)

    def delete_rule(self, rule_id: int) -> None:
        """Delete a rule.

        Raises:
            RuleNotFound: there is none of this id.
        """
        with self._writing() as con:
            if not (1 <= rule_id <= MAX_ID and category_rules.delete(con, rule_id)):
                raise RuleNotFound(rule_id)

    def log(self, since: int = 0, limit: int = MAX_LOG_ENTRIES) -> list[LogEntry]:
        """The ledger's log after position *since*, in order, at most *limit* lines.

        To have all of it, go on with the ``seq`` of the last line until there is none.
        """
        with self._reading() as con:
            lines = list(queries.log(con, min(max(since, 0), MAX_ID), min(max(limit, 0), MAX_LOG_ENTRIES)))
        return [presenting.log_entry(line, dedup_key, self.currency) for line, dedup_key in lines]

    def changes(self, before: int | None = None, limit: int = 50) -> list[Change]:
        """What was edited, deleted or restored, each change once, the last first, at most *limit* of them.

        To have all of them, go on *before* the number of the last one until there is none.
        """
        before = MAX_ID if before is None else min(max(before, 0), MAX_ID)
        with self._reading() as con:
            found = list(queries.changes(con, before, min(max(limit, 0), MAX_PAGE)))
        return [presenting.change(first, count, self.currency) for first, count in found]

    def undo(self, number: int) -> Undone:
        """Put back what the change of this number changed, in one change, wherever it was left alone since.

        Raises:
            ChangeNotFound: there is no such change.
            ChangedSince: everything that it changed was changed again.
        """
        with self._writing() as con:
            return undoing.undo(con, number)

    def check(self) -> list[str]:
        """What is wrong with the ledger, a sentence each; an empty list if it is sound.

        SQLite's own check, every key recomputed, every expense and every category's total against the log.
        It reads one snapshot, while others go on writing.
        """
        found: list[str] = []
        try:
            with self._reading() as con:
                found.extend(integrity.findings(con))
        except LedgerDamaged as damage:
            found.append(str(damage))
        return found

    def backup(self, path: str | Path) -> None:
        """Write a consistent copy, itself a ledger, to a new file while others go on writing.

        Raises:
            LedgerUnavailable: there is a file already, or it can't be written; nothing is left behind.
        """
        with self._connection() as con:
            integrity.copy(con, files.absolute(path))

    def export_csv(
        self, path: str | Path, wanted: Filter | None = None, progress: Progress = no_progress
    ) -> None:
        """Write the expenses that match to a new CSV file (RFC 4180), by date, from one snapshot.

        Texts that a spreadsheet would run as a formula have an apostrophe in front. Reading the file with
        ``statements.read`` and importing it again adds nothing.

        Raises:
            LedgerUnavailable: there is a file already, or it can't be written; nothing is left behind.
            AmountError: a bound is finer than the ledger's currency.
        """
        from expense_lib import exports

        with self._reading() as con:
            told = closed_to(progress, self._name)
            files.write(files.absolute(path), exports.as_csv(con, wanted or Filter(), self.currency, told))

    def export_history(self, path: str | Path, progress: Progress = no_progress) -> None:
        """Write all expenses, deleted ones too, with their whole history to a new file, as lines of JSON.

        Raises:
            LedgerUnavailable: there is a file already, or it can't be written; nothing is left behind.
        """
        from expense_lib import exports

        with self._reading() as con:
            told = closed_to(progress, self._name)
            files.write(files.absolute(path), exports.as_jsonl(con, self.currency, told))

    def health(self) -> Health:
        """Whether the file, which must be readable, can be written; nothing is written to see that."""
        with self._connection() as con:
            return integrity.health(con)

    def _connection(self) -> AbstractContextManager[sqlite3.Connection]:
        return connection(self._name, self.currency.code)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as con, transaction(con, write=False):
            yield con

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as con, transaction(con, write=True):
            yield con


def _cursor(wanted: ExpenseFilter, last: Row) -> str:
    value = last.date if wanted.sort.startswith("date") else last.amount_minor
    return cursor.write(wanted.sort, value, last.id)
