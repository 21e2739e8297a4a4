"""Changes to what is recorded, as a person makes them, each with the callback that undoes it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from expense_lib.app import messages
from expense_lib.app.entry import FIELDS, Typed
from expense_lib.domain.errors import (
    ExpenseDeleted,
    ExpenseError,
    FieldError,
    InvalidInput,
    LedgerUnavailable,
    StaleVersion,
)
from expense_lib.domain.filters import Filter
from expense_lib.domain.results import Expense, Undone

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

T = TypeVar("T")
Open = Callable[[], "AnyLedger"]
Undo = Callable[[Open], "Done | Failed"]

CHANGED_MEANWHILE = "Somebody changed this expense meanwhile. Close this and edit it again, as it is now."
KEPT = "It is kept as it is: somebody changed it since."
GONE = "Somebody deleted this expense meanwhile."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """It is on disk. *text* says what; *undo* takes it back, where there is something to take back.

    *now* is what was changed, as it is afterwards: an expense, or a category's name.
    """

    text: str
    undo: Undo | None = None
    now: Expense | str | None = None


@dataclass(frozen=True)
class Failed:
    """It was not done, as far as is known: *text* says why, *errors* those of fields. *again* tries again."""

    text: str
    errors: tuple[FieldError, ...] = ()
    again: Undo | None = None


def edit(ledger: Open, expense: Expense, typed: Typed, currency: str) -> Done | Failed:
    """Make *expense*, as it was looked at, what was typed."""

    def act() -> Done:
        new = typed.expense()
        wanted = new.model_dump(include=set(FIELDS))
        was = {name: getattr(expense, name) for name in wanted}
        changes = {name: value for name, value in wanted.items() if value != was[name]}
        if not changes:
            return Done("Nothing was changed.")
        amended = ledger().amend(expense.id, changes, version=expense.version)
        if amended.version == expense.version:  # the same but for spelling that does not count
            return Done("Nothing was changed.")
        back = {name: was[name] for name in changes} | {"occurrence": expense.occurrence}
        text = f"Saved: {messages.expense(amended, currency)}."
        return Done(text, _put_back(amended, back, currency), amended)

    return _told(act)


def delete(
    ledger: Open, expense: Expense, currency: str, meanwhile: str = CHANGED_MEANWHILE
) -> Done | Failed:
    """Delete an expense, as it was looked at; *meanwhile* is said if somebody changed it."""

    def act() -> Done:
        ledger().delete(expense.id, version=expense.version)
        return Done(f"Deleted: {messages.expense(expense, currency)}.", _restored(expense.id, currency))

    return _told(act, meanwhile)


def recategorise(
    ledger: Open, category: str, *, ids: Sequence[int] | None = None, where: Filter | None = None
) -> Done | Failed:
    """Move expenses to a category: those of these *ids*, or all that match *where*."""

    def act() -> Done:
        done = _sent_once(lambda: ledger().recategorise(category, ids=ids, where=where))
        if done.number is None:
            return Done(f"There was nothing to move to {done.category}.")
        moved = messages.number(done.count, "expense")
        return Done(f"Moved {moved} to {done.category}.", undo_of(done.number))

    return _told(act)


def rename(ledger: Open, old: str, new: str) -> Done | Failed:
    """Rename a category, or merge it into one that is there."""

    def act() -> Done:
        try:
            done = _sent_once(lambda: ledger().rename_category(old, new))
        except InvalidInput as refused:
            raise InvalidInput(FieldError("category", why) for _, why in refused.errors) from None
        if done.number is None:
            return Done("Nothing was changed.")
        now_in = messages.number(done.count, "expense")
        return Done(f"{old} is now {done.name}, which has {now_in}.", undo_of(done.number), done.name)

    return _told(act)


def _sent_once(ask: Callable[[], T]) -> T:
    """The result of *ask*, which is not idempotent and so never retried.

    Raises:
        LedgerUnavailable: no answer came, though it may have been done.
    """
    try:
        return ask()
    except LedgerUnavailable as failed:
        raise LedgerUnavailable(f"{failed} If it was done all the same, Changes lists it.") from None


def undo_of(number: int) -> Undo:
    """The callback that undoes the change of this number, and can be undone in turn."""

    def undo(ledger: Open) -> Done | Failed:
        return _told(lambda: _undone(ledger().undo(number), undo_of))

    return undo


def undo_of_import(import_id: int) -> Undo:
    """The callback that undoes a statement's import, and can be undone in turn."""

    def undo(ledger: Open) -> Done | Failed:
        return _told(lambda: _undone(ledger().undo_import(import_id), redo))

    def redo(number: int) -> Undo:
        # Taken back once more, it must be as an import again, whose rows may be imported anew.
        return lambda ledger: _told(lambda: _undone(ledger().undo(number), lambda _: undo))

    return undo


def _undone(done: Undone, undo: Callable[[int], Undo]) -> Done:
    text = f"Undone: {messages.number(len(done.undone), 'expense')} as before."
    if done.kept:
        text += f" {messages.number(len(done.kept), 'expense')} kept, being changed since."
    return Done(text, undo(done.number) if done.number is not None else None)


def _put_back(amended: Expense, back: dict[str, Any], currency: str) -> Undo:
    def undo(ledger: Open) -> Done | Failed:
        def act() -> Done:
            now = ledger().amend(amended.id, back, version=amended.version)
            if now.version > amended.version + 1:  # it was as before for a while, and others went on
                raise StaleVersion(now.id, now.version)
            again = {name: getattr(amended, name) for name in back}
            return Done(f"Undone: {messages.expense(now, currency)}.", _put_back(now, again, currency))

        return _told(act, KEPT)

    return undo


def _restored(expense_id: int, currency: str) -> Undo:
    def undo(ledger: Open) -> Done | Failed:
        def act() -> Done:
            back = ledger().restore(expense_id)
            return Done(f"Restored: {messages.expense(back, currency)}.", _deleted_again(back, currency))

        return _told(act)

    return undo


def _deleted_again(expense: Expense, currency: str) -> Undo:
    return lambda ledger: delete(ledger, expense, currency, KEPT)


def _told(act: Callable[[], Done], meanwhile: str = CHANGED_MEANWHILE) -> Done | Failed:
    """The result of *act*, with its exceptions turned into Failed."""
    try:
        return act()
    except (ValidationError, InvalidInput) as refused:
        known = refused if isinstance(refused, InvalidInput) else InvalidInput.from_pydantic(refused)
        return Failed("Not saved yet.", known.errors)
    except (StaleVersion, ExpenseDeleted) as late:
        return Failed(meanwhile if isinstance(late, StaleVersion) else GONE)
    except ExpenseError as failed:
        return Failed(str(failed))
    except Exception:  # noqa: BLE001 - what a callback raises would reach nobody but the log
        _log.exception("a change failed")
        return Failed(messages.UNEXPECTED)
