"""What becomes of a change that a person makes to what is recorded, and how it is undone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from expense_lib.answers import Expense, Undone
from expense_lib.app import words
from expense_lib.app.entry import Typed
from expense_lib.errors import (
    ExpenseDeleted,
    ExpenseError,
    FieldError,
    InvalidInput,
    StaleVersion,
)
from expense_lib.models import Wanted

if TYPE_CHECKING:
    from expense_lib.client import RemoteLedger
    from expense_lib.ledger import Ledger

    AnyLedger = Ledger | RemoteLedger

Open = Callable[[], "AnyLedger"]
Undo = Callable[[Open], "Done | Failed"]

UNEXPECTED = "Something unexpected went wrong. The app's log has it."
CHANGED_MEANWHILE = "Somebody changed this expense meanwhile. Close this and edit it again, as it is now."
GONE = "Somebody deleted this expense meanwhile."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Done:
    """It is on disk. *text* says what; *undo* takes it back, where there is something to take back."""

    text: str
    undo: Undo | None = None


@dataclass(frozen=True)
class Failed:
    """Nothing was written. *text* says why; *errors* are those of single fields."""

    text: str
    errors: tuple[FieldError, ...] = ()


def edit(ledger: Open, expense: Expense, typed: Typed, currency: str) -> Done | Failed:
    """Make *expense*, as it was looked at, what was typed."""

    def deed() -> Done:
        new = typed.expense()
        wanted = new.model_dump(include={"amount", "category", "description", "date", "refund"})
        was = {name: getattr(expense, name) for name in wanted}
        changes = {name: value for name, value in wanted.items() if value != was[name]}
        if not changes:
            return Done("Nothing was changed.")
        amended = ledger().amend(expense.id, changes, version=expense.version)
        back = {name: was[name] for name in changes} | {"occurrence": expense.occurrence}
        return Done(f"Saved: {words.expense(amended, currency)}.", _put_back(amended, back, currency))

    return _told(deed)


def delete(ledger: Open, expense: Expense, currency: str) -> Done | Failed:
    """Delete an expense, as it was looked at."""

    def deed() -> Done:
        ledger().delete(expense.id, version=expense.version)
        return Done(f"Deleted: {words.expense(expense, currency)}.", _restored(expense.id, currency))

    return _told(deed)


def recategorise(
    ledger: Open, category: str, *, ids: Sequence[int] | None = None, where: Wanted | None = None
) -> Done | Failed:
    """Move expenses to a category: those of these *ids*, or all that match *where*."""

    def deed() -> Done:
        done = ledger().recategorise(category, ids=ids, where=where)
        if done.number is None:
            return Done(f"They are in {done.category} already.")
        moved = words.number(done.count, "expense")
        return Done(f"Moved {moved} to {done.category}.", undo_of(done.number))

    return _told(deed)


def rename(ledger: Open, old: str, new: str) -> Done | Failed:
    """Rename a category, or merge it into one that is there."""

    def deed() -> Done:
        done = ledger().rename_category(old, new)
        if done.number is None:
            return Done("Nothing was changed.")
        now_in = words.number(done.count, "expense")
        return Done(f"{old} is now {done.name}, which has {now_in}.", undo_of(done.number))

    return _told(deed)


def undo_of(number: int) -> Undo:
    """What undoes the deed of this number, and is undone in turn."""

    def undo(ledger: Open) -> Done | Failed:
        return _told(lambda: _undone(ledger().undo(number)))

    return undo


def undo_of_import(import_id: int) -> Undo:
    """What takes back a statement's import, and is undone in turn."""

    def undo(ledger: Open) -> Done | Failed:
        return _told(lambda: _undone(ledger().undo_import(import_id)))

    return undo


def _undone(done: Undone) -> Done:
    text = f"Undone: {words.number(len(done.undone), 'expense')} as before."
    if done.kept:
        text += f" {words.number(len(done.kept), 'expense')} kept, being changed since."
    return Done(text, undo_of(done.number) if done.number is not None else None)


def _put_back(amended: Expense, back: dict[str, Any], currency: str) -> Undo:
    def undo(ledger: Open) -> Done | Failed:
        def deed() -> Done:
            now = ledger().amend(amended.id, back, version=amended.version)
            again = {name: getattr(amended, name) for name in back}
            return Done(f"Undone: {words.expense(now, currency)}.", _put_back(now, again, currency))

        return _told(deed)

    return undo


def _restored(expense_id: int, currency: str) -> Undo:
    def undo(ledger: Open) -> Done | Failed:
        def deed() -> Done:
            back = ledger().restore(expense_id)
            return Done(f"Restored: {words.expense(back, currency)}.", _deleted_again(back, currency))

        return _told(deed)

    return undo


def _deleted_again(expense: Expense, currency: str) -> Undo:
    return lambda ledger: delete(ledger, expense, currency)


def _told(deed: Callable[[], Done]) -> Done | Failed:
    """What *deed* comes to, its errors being told and not raised."""
    try:
        return deed()
    except (ValidationError, InvalidInput) as refused:
        known = refused if isinstance(refused, InvalidInput) else InvalidInput.from_pydantic(refused)
        return Failed("Not saved yet.", known.errors)
    except (StaleVersion, ExpenseDeleted) as late:
        return Failed(CHANGED_MEANWHILE if isinstance(late, StaleVersion) else GONE)
    except ExpenseError as failed:
        return Failed(str(failed))
    except Exception:  # noqa: BLE001 - what a callback raises would reach nobody but the log
        _log.exception("a change failed")
        return Failed(UNEXPECTED)
