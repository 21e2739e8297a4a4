"""The ledger: what can be done with one, in a file or in PostgreSQL, each call one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from expense_lib import files, presenting
from expense_lib.domain import cursor
from expense_lib.domain.errors import CurrencyError, LedgerDamaged, LedgerRestored, LedgerUnavailable
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
from expense_lib.domain.rows import Row
from expense_lib.rules import recording
from expense_lib.rules.submission import Submission
from expense_lib.store import accounts, categories, expenses, log, queries
from expense_lib.store.claims import KeyTaken
from expense_lib.store.engine import engine_of
from expense_lib.store.file import File
from expense_lib.store.transaction import Transaction

if TYPE_CHECKING:
    from expense_lib.domain.statement import Import, Imported, Rule, Said
    from expense_lib.statements.plan import Plan
    from expense_lib.store.imports import Position

# ruff: noqa: PLC0415 - what recording does not need is loaded when it is asked for: a process starts sooner


_ATTEMPTS = 3  # without holding the lock

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Decided(Protocol[T_co]):
    """What a rule decided from a snapshot, and has not written yet."""

    def holds(self, tx: Transaction, decided_at: Position) -> bool:
        """Whether it would be decided the same now."""
        ...

    def write(self, tx: Transaction) -> T_co:
        """Put it down, under the write lock."""
        ...


class Ledger:
    """An expense ledger, made in *currency* (ISO 4217) if it is not there.

    It is in the SQLite file at *path*, or where *path* is ``postgresql://user@host/database?ledger=name``: in
    a PostgreSQL database, which has any number of them.

    Any number of processes and threads may use one ledger, and any number of threads one Ledger. When a
    method that changes something returns, the change is on disk, whole; when it raises, nothing was changed.

    Where the ledger went back to a backup since this handle was made, the first method that would change what
    is there by its id or number raises LedgerRestored instead, and those after it do not.

    A Ledger is a cheap handle: threads keep connections to the ledgers that they used last, whichever handle
    named them. ``close``, or ``with`` around its use, releases those to this one.

    Every method raises LedgerUnavailable when the ledger can't be used: LedgerBusy when another writer holds
    it too long, LedgerMoved when its file was removed or replaced, LedgerDamaged when SQLite finds it
    damaged.

    Raises:
        CurrencyError: *currency* is given, and the ledger is kept in another one.
        LedgerUnavailable: the ledger can't be opened or made, or is none.
    """

    def __init__(self, path: str | Path, currency: str | None = None, *, by: str = "") -> None:
        self.engine = engine_of(path)
        self.by = by
        self.currency = self.engine.make(currency)
        self._generation: str | None = self.generation()
        if currency not in (None, self.currency.code):
            raise CurrencyError(f"This ledger is kept in {self.currency.code}, not in {currency}.")

    @property
    def path(self) -> Path:
        """The ledger's file.

        Raises:
            LedgerUnavailable: it is in a database.
        """
        if not isinstance(self.engine, File):
            raise LedgerUnavailable("This ledger is in a database, and has no file.")
        return self.engine.path

    def __repr__(self) -> str:
        return f"Ledger({self.engine.where!r}, {self.currency.code!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()

    def close(self) -> None:
        """Close this process's connections to the file, those of other threads and handles too.

        A call that another thread is in the middle of goes on, and closes its connection when it returns. A
        ledger that is used again opens its file again, and any number of calls of this do no harm.
        """
        self.engine.close()

    def of(self, generation: str | None) -> Self:
        """This ledger for whoever saw it in *generation*; None: in whichever it is then."""
        other = copy(self)
        other._generation = generation
        return other

    def generation(self) -> str:
        """Of which time ids, versions and positions are: random, and another after a return to a backup."""
        with self.engine.connection(self.currency.code) as con:
            return self.engine.generation(con)

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """Record *new* exactly once: idempotent.

        Without a key, the same content is the same payment: sending it again finds it, however it was edited
        since. With a key not seen before, it is another payment, which takes the next free occurrence unless
        *new* names one.

        A category that is not said is decided here, once: by a rule, else as the last expenses of this
        description had, or those of descriptions like it. Sent again, also without one, it is the same
        payment, whatever would be decided by then.

        Raises:
            InvalidInput: no category is said, and none is known for this description.
            AmountError: the amount is finer or larger than the ledger's currency allows.
            IdempotencyKeyError: the key is malformed.
            IdempotencyKeyReused: the key was first sent with another body.
            RecordedThenDeleted: it was recorded and then deleted, and does not come back by itself.
        """
        sent = Submission(new, self.currency, idempotency_key)
        with self.engine.connection(self.currency.code) as con:
            tx = Transaction(con, self.currency, self.by)
            done = None
            if tx.is_remote:
                done = recording.at_once(sent, lambda new: self.engine.record_at_once(con, new, self.by))
            row = recording.known(tx, sent) if done is None else None
            while done is None:
                if row is not None and not recording.is_a_banks(row):
                    done = recording.Recorded(row, created=False)
                    break
                try:
                    with self.engine.transaction(con, write=True):
                        done = recording.added(tx, sent, row)
                except KeyTaken:  # somebody recorded it meanwhile: a key has one owner
                    row, before, done = recording.known(tx, sent), row, None
                    if row == before:
                        raise
        return Receipt(
            created=done.created,
            expense=presenting.expense(done.row, self.currency),
            differs=() if done.created else sent.differs(done.row.content),
            joined=done.joined,
            looks_like=done.looks_like,
        )

    def get(self, expense_id: int) -> Expense:
        """The expense of this id.

        Raises:
            ExpenseNotFound, ExpenseDeleted: there is none, or no longer.
        """
        with self._reading() as tx:
            row = recording.live(tx, expense_id)
        return presenting.expense(row, self.currency)

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """A page of the expenses that match, with count and total of all that do, from one snapshot.

        Raises:
            CursorError: the filter's cursor is none that a page of this sort gave.
            AmountError: a bound is finer than the ledger's currency.
        """
        wanted = wanted or ExpenseFilter()
        with self._reading() as tx:
            tx.ends_with_next()
            return Page(**self._page(tx, wanted))

    def overview(self, wanted: ExpenseFilter | None = None) -> Overview:
        """The page that ``search`` gives, with all else that there is to see, from one snapshot.

        Raises:
            CursorError, AmountError: as ``search``.
        """
        from expense_lib.store import imports, ledger_id

        wanted = wanted or ExpenseFilter()
        with self._reading() as tx:
            queries.announce_days(tx, wanted)
            categories.announce_totals(tx)
            accounts.announce_names(tx)
            imports.announce_position(tx)
            ledger_id.announce(tx)
            tx.ends_with_next()
            page = self._page(tx, wanted)
            first, last = (page["count"] and queries.days(tx, wanted)) or (None, None)
            totals = categories.totals(tx)
            return Overview(
                **page,
                first=first and dt.date.fromisoformat(first),
                last=last and dt.date.fromisoformat(last),
                categories=tuple(presenting.category(*each, self.currency) for each in totals),
                accounts=tuple(accounts.names(tx)),
                position=imports.position(tx).token(),
                ledger=ledger_id.ledger_id(tx),
            )

    def position(self) -> str:
        """Where the ledger is: the same text as long as nothing in it was changed. One cheap statement."""
        from expense_lib.store import imports

        with self._reading() as tx:
            return imports.position(tx).token()

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
        from expense_lib.rules import editing

        given = read_changes(changes)
        with self._writing() as tx:
            row = editing.amend(tx, expense_id, given, version)
        return presenting.expense(row, self.currency)

    def delete(self, expense_id: int, version: int | None = None) -> None:
        """Delete an expense; it keeps its id, its keys and its history. A deleted one stays deleted.

        Raises:
            ExpenseNotFound: there is none.
            StaleVersion: *version* is given, and the expense was changed since.
        """
        from expense_lib.rules import editing

        with self._writing() as tx:
            editing.delete(tx, expense_id, version)

    def restore(self, expense_id: int) -> Expense:
        """Bring a deleted expense back under its id. A live one stays as it is.

        Raises:
            ExpenseNotFound: there is none.
        """
        from expense_lib.rules import editing

        with self._writing() as tx:
            row = editing.restore(tx, expense_id)
        return presenting.expense(row, self.currency)

    def history(self, expense_id: int) -> list[Version]:
        """Every version of an expense, live or deleted, the first one first.

        Raises:
            ExpenseNotFound: there is none.
        """
        with self._reading() as tx:
            recording.found(tx, expense_id)
            lines = log.history(tx, expense_id)
        return [presenting.version(line, self.currency) for line in lines]

    def categories(self) -> list[CategoryTotal]:
        """Every category that has expenses, by name, with their count and exact total."""
        with self._reading() as tx:
            found = categories.totals(tx)
        return [presenting.category(name, total, self.currency) for name, total in found]

    def accounts(self) -> list[CategoryTotal]:
        """Every account that has expenses, by name, with their count and exact total."""
        with self._reading() as tx:
            found = queries.accounts(tx)
        return [presenting.category(name, total, self.currency) for name, total in found]

    def summary(self, wanted: SummaryQuery | None = None) -> Summary:
        """The exact totals of the expenses that match, by one part or two, from one snapshot.

        Raises:
            AmountError: a bound is finer than the ledger's currency.
        """
        with self._reading() as tx:
            parts, total = queries.summary(tx, wanted or SummaryQuery())
        return presenting.summary(parts, total, self.currency)

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
        from expense_lib.rules import editing

        move = read_move(category, ids, where)
        moved = self._decided(lambda tx: editing.Move(tx, move))
        return Recategorised(number=moved.number, count=moved.count, category=moved.category)

    def rename_category(self, old: str, new: str) -> Renamed:
        """Rename a category, or merge it into the one of that name; one change, which can be undone as one.

        The old name is no alias afterwards: sent later, it starts that category anew.

        Returns:
            The category in which the expenses are now, and the number of the change.

        Raises:
            CategoryNotFound: no expense has the old one.
            InvalidInput: the new name is none.
        """
        from expense_lib.rules import editing

        name = read_category(new)
        number, named, total = self._decided(lambda tx: editing.Renaming(tx, old, name))
        return Renamed(number=number, **dict(presenting.category(named, total, self.currency)))

    def import_statement(
        self,
        plan: Plan,
        *,
        dry_run: bool = False,
        decisions: Mapping[int, Said] | None = None,
        progress: Progress = no_progress,
    ) -> Imported:
        """Have each payment of a statement in the ledger once, whatever overlapping statements came before.

        A row that is known is left alone. One that an expense is, for certain, which somebody entered or of
        which the bank told otherwise, is joined to that; one that may be is held: it counts nowhere until
        ``decide`` says what it is. All others are added, equal ones as well. All or nothing. The file's lock
        is held while rows are written, not while they are looked at.

        Args:
            plan: What ``statements.read`` made of a file.
            dry_run: Find out what would become of each row, and write nothing.
            decisions: What rows are that are not known, by their lines: ``"new"``, ``"skip"``, or the id of
            the
                expense that one is the same as, which takes its amount. The rules say it of the rest.
            progress: Called now and then with how many rows are done, of how many. To it this ledger is busy.

        Raises:
            InvalidInput: a decision names a line that is no row, or an expense that is not there.
        """
        from expense_lib.domain.statement import read_decisions
        from expense_lib.rules import importing

        told = self.engine.closed_to(progress)
        said = read_decisions(decisions or {})
        payments = importing.Payments(plan, self.currency)

        def decide(tx: Transaction) -> importing.Import:
            return importing.Import(tx, payments, said, told)

        if not dry_run:
            return self._decided(decide)
        with self._reading() as tx:
            return decide(tx).dry()

    def imports(self) -> list[Import]:
        """Every statement that was imported, the latest first."""
        from expense_lib.domain.statement import Import
        from expense_lib.store import imports

        with self._reading() as tx:
            found = imports.listed(tx)
        return [Import.model_validate(each, from_attributes=True) for each in found]

    def undo_import(self, import_id: int) -> Undone:
        """Take back what an import brought, in one change, wherever nobody changed it since.

        Importing the statement again brings the same expenses back. What was changed or deleted since is
        kept as it is, and known as before.

        Raises:
            ImportNotFound: there is no such import.
        """
        from expense_lib.rules import undoing

        return self._decided(lambda tx: undoing.UndoImport(tx, import_id))

    def undecided(self) -> list[Undecided]:
        """All that somebody is to say what it is, by id: payments that wait, and pairs that look alike."""
        from expense_lib.rules import undecided

        with self._reading() as tx:
            found = undecided.undecided(tx)
        return [presenting.undecided(each, self.currency) for each in found]

    def decide(self, expense_id: int, same_as: Said, *, keep_amount: bool = False) -> int | None:
        """Say what an undecided expense is; one change, which can be undone. Said again, it stays so.

        Args:
            expense_id: As ``undecided`` has it.
            same_as: The id of the expense that it is the same payment as; ``"new"`` for a payment of its own;
                ``"skip"`` to leave it out.
            keep_amount: Whether that expense keeps its amount; else it takes the bank's.

        Returns:
            The number of the change; None if it was so before.

        Raises:
            ExpenseNotFound: there is none of one of the ids.
            NotUndecided: there is nothing to be decided about it.
            InvalidInput: *same_as* is none of what it may be.
        """
        from expense_lib.domain.statement import read_said
        from expense_lib.rules import deciding

        said = read_said(same_as, "same_as")
        with self._writing() as tx:
            return deciding.decide(tx, expense_id, said, keep_amount=keep_amount)

    def merge(self, expense_id: int, into: int) -> Expense:
        """Make two expenses one: the first's keys and rows lead to the other, which keeps its content.

        Raises:
            ExpenseNotFound, ExpenseDeleted, ExpenseMerged: there is none, or no longer.
            InvalidInput: they are the same expense, or parts of a payment.
        """
        from expense_lib.rules import deciding

        with self._writing() as tx:
            row = deciding.merge(tx, expense_id, into)
        return presenting.expense(row, self.currency)

    def split(
        self, expense_id: int, parts: Sequence[tuple[Any, str]], version: int | None = None
    ) -> list[Expense]:
        """Split a payment into parts of several categories, each an amount and a category, that add up to it.

        The first part keeps the id, the others are new expenses. Split again to change the parts, into one to
        have it whole again. Sent again, it stays as it is.

        Raises:
            ExpenseNotFound, ExpenseDeleted, ExpenseMerged: there is none, or no longer.
            StaleVersion: *version* is given, and the expense was changed since.
            InvalidInput: the parts are none, or don't add up.
        """
        from expense_lib.domain.expense import read_parts
        from expense_lib.rules import splitting

        given = [splitting.Part(*part) for part in read_parts(parts).in_minor_units(self.currency)]
        with self._writing() as tx:
            rows = splitting.split(tx, expense_id, given, version)
        return [presenting.expense(row, self.currency) for row in rows]

    def rules(self) -> list[Rule]:
        """Every rule of imports, in the order in which they are tried."""
        from expense_lib.domain.statement import Rule
        from expense_lib.store import category_rules

        with self._reading() as tx:
            found = category_rules.listed(tx)
        return [
            Rule(id=each.id, text=each.text, category=each.category, skip=bool(each.skip)) for each in found
        ]

    def add_rule(self, text: str, category: str | None = None, *, skip: bool = False) -> Rule:
        """Have rows of statements whose description has *text*, whatever its case, categorised or left out.

        Of two rules, the one with the longer text is tried first. A rule of the same text is replaced. What
        is in the ledger already stays as it is. It is a change, which can be undone.

        Raises:
            InvalidInput: the text is empty, or not one of category and skip is given.
        """
        from expense_lib.domain.statement import Rule, read_rule
        from expense_lib.rules import ruling

        new = read_rule(text, category, skip)
        with self._writing() as tx:
            rule_id = ruling.add(tx, new.text, new.category, skip=new.skip)
        return Rule(id=rule_id, text=new.text, category=new.category, skip=new.skip)

    def delete_rule(self, rule_id: int) -> None:
        """Delete a rule; a change, which can be undone.

        Raises:
            RuleNotFound: there is none of this id.
        """
        from expense_lib.rules import ruling

        with self._writing() as tx:
            ruling.delete(tx, rule_id)

    def log(self, since: int = 0, limit: int = MAX_LOG_ENTRIES) -> list[LogEntry]:
        """The ledger's log after position *since*, in order, at most *limit* lines.

        To have all of it, go on with the ``seq`` of the last line until there is none.
        """
        with self._reading() as tx:
            lines = list(log.since(tx, min(max(since, 0), MAX_ID), min(max(limit, 0), MAX_LOG_ENTRIES)))
        return [presenting.log_entry(line, dedup_key, self.currency) for line, dedup_key in lines]

    def changes(self, before: int | None = None, limit: int = 50) -> list[Change]:
        """What was edited, deleted or restored, each change once, the last first, at most *limit* of them.

        To have all of them, go on *before* the number of the last one until there is none.
        """
        from expense_lib.rules import ruling

        before = MAX_ID if before is None else min(max(before, 0), MAX_ID)
        with self._reading() as tx:
            found = list(log.changes(tx, before, min(max(limit, 0), MAX_PAGE)))
            rules = {each.seq: ruling.text(tx, each.seq) for each, _ in found if each.kind == "rule"}
        return [
            presenting.change(first, count, self.currency, rules.get(first.seq)) for first, count in found
        ]

    def undo(self, number: int) -> Undone:
        """Put back what the change of this number changed, in one change, wherever it was left alone since.

        Raises:
            ChangeNotFound: there is no such change.
            ChangedSince: everything that it changed was changed again.
            BuiltUpon: a later change builds on it.
        """
        from expense_lib.rules import undoing

        return self._decided(lambda tx: undoing.undo(tx, number))

    def check(self) -> list[str]:
        """What is wrong with the ledger, a sentence each; an empty list if it is sound.

        The database's own check, the tables as they were made, every key recomputed, every expense and every
        category's total against the log. It reads one snapshot, while others go on writing. Where SQLite
        finds damage, this process writes nothing from then on.
        """
        from expense_lib.store import integrity

        found: list[str] = []
        try:
            with self._reading() as tx:
                found.extend(self.engine.findings(tx))
                found.extend(integrity.findings(tx))
        except LedgerDamaged as damage:
            found.append(str(damage))
        if found:
            self.close()  # what writes is opened anew, and looks
        return found

    def backup(self, path: str | Path) -> None:
        """Write a consistent copy, itself a ledger, to a new file while others go on writing.

        Raises:
            LedgerUnavailable: there is a file already, or it can't be written; nothing is left behind.
        """
        with self.engine.connection(self.currency.code) as con:
            self.engine.copy(con, files.absolute(path))

    def copy_to(self, target: str | Path, progress: Progress = no_progress) -> None:
        """Copy the whole ledger to an empty one, in a file or in PostgreSQL; it is made if it is not there.

        All of it: ids, keys, versions, the log, rules and imports, and the ledger's id. What came of it is
        compared row by row before anything is kept.

        Raises:
            LedgerUnavailable: there is something at *target*, it can't be used, or did not come out equal.
            CurrencyError: it is of another currency.
        """
        from expense_lib.store import copying

        with Ledger(target, self.currency.code) as other:
            if other.engine.where == self.engine.where:
                raise LedgerUnavailable("A ledger can't be copied to itself.")
            told = self.engine.closed_to(other.engine.closed_to(progress))
            with self._reading() as source, other._writing(bulk=True) as written:
                copying.copy(source, written, told)

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

        with self._reading() as tx:
            told = self.engine.closed_to(progress)
            files.write(files.absolute(path), exports.as_csv(tx, wanted or Filter(), told))

    def export_history(self, path: str | Path, progress: Progress = no_progress) -> None:
        """Write all expenses, deleted ones too, with their whole history to a new file, as lines of JSON.

        Raises:
            LedgerUnavailable: there is a file already, or it can't be written; nothing is left behind.
        """
        from expense_lib import exports

        with self._reading() as tx:
            told = self.engine.closed_to(progress)
            files.write(files.absolute(path), exports.as_jsonl(tx, told))

    def health(self) -> Health:
        """Whether the ledger, which must be readable, can be written; nothing is written to see that."""
        with self.engine.connection(self.currency.code) as con:
            return self.engine.health(con)

    def _page(self, tx: Transaction, wanted: ExpenseFilter) -> dict[str, Any]:
        """The fields of a page."""
        after = (
            None
            if wanted.cursor is None
            else cursor.read(wanted.cursor, wanted.sort, self.engine.generation(tx.con))
        )
        found, matching = queries.page_with_total(tx, wanted, after)
        more, found = len(found) > wanted.limit, found[: wanted.limit]
        return {
            "items": tuple(presenting.expense(row, self.currency) for row in found),
            "count": matching.count,
            "total": self.currency.from_minor(matching.total_minor),
            "currency": self.currency.code,
            "next_cursor": _cursor(wanted, found[-1], self.engine.generation(tx.con)) if more else None,
        }

    @contextmanager
    def _reading(self) -> Iterator[Transaction]:
        """One snapshot."""
        with self.engine.connection(self.currency.code) as con, self.engine.transaction(con, write=False):
            yield Transaction(con, self.currency, self.by)

    @contextmanager
    def _writing(self, *, bulk: bool = False) -> Iterator[Transaction]:
        """The write lock; all or nothing, and on disk once the block has ended.

        Raises:
            LedgerRestored: what is to be written was decided by what was there before a return to a backup.
        """
        with self.engine.connection(self.currency.code) as con:
            engine = self.engine
            with engine.bulk_transaction(con) if bulk else engine.transaction(con, write=True):
                tx = Transaction(con, self.currency, self.by)
                expenses.announce_last(tx)
                self._refuse_what_is_of_before(tx)
                yield tx

    def _refuse_what_is_of_before(self, tx: Transaction) -> None:
        seen_in, now = self._generation, self.engine.generation(tx.con)
        if seen_in not in (None, now):
            self._generation = now
            raise LedgerRestored

    def _decided(self, decide: Callable[[Transaction], Decided[T]]) -> T:
        """Write what *decide* decides from a snapshot, so that the write lock is held for the writing only.

        If others wrote meanwhile, and what was decided does not hold any more, it is decided anew; after
        _ATTEMPTS, while the lock is held.
        """
        from expense_lib.store import imports

        for _ in range(_ATTEMPTS):
            with self._reading() as tx:
                self._refuse_what_is_of_before(tx)
                imports.announce_position(tx)
                decided = decide(tx)
                decided_at = imports.position(tx)
            with self._writing(bulk=True) as tx:
                if decided.holds(tx, decided_at):
                    return decided.write(tx)
        with self._writing(bulk=True) as tx:
            return decide(tx).write(tx)


def _cursor(wanted: ExpenseFilter, last: Row, of: str) -> str:
    value = last.content.date if wanted.sort.startswith("date") else last.content.amount_minor
    return cursor.write(wanted.sort, value, last.id, of)
