"""Recording what a person typed into the form, and the outcome: created, repeated, refused or unreachable."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from pydantic import ValidationError

from expense_lib.app import messages
from expense_lib.app.filters import read_tags
from expense_lib.domain.content import ANNOTATIONS
from expense_lib.domain.errors import (
    ChangedSince,
    ExpenseError,
    FieldError,
    InvalidInput,
    RecordedThenDeleted,
)
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.domain.results import CategoryTotal, Change, Expense, Page, Receipt, Undone

MORE = ("account", "tags", "note")  # in the order of the form, as FIELDS
FIELDS = ("amount", "description", "category", "date", "refund", *MORE)

_MAY_LACK = ("category", *ANNOTATIONS)

_log = logging.getLogger(__name__)


class Recorder(Protocol):
    """The part of a ledger, local or remote, that a form needs."""

    def record(self, new: NewExpense, idempotency_key: str | None = None) -> Receipt:
        """As ``Ledger.record``."""
        ...

    def restore(self, expense_id: int) -> Expense:
        """As ``Ledger.restore``."""
        ...

    def delete(self, expense_id: int, version: int | None = None) -> None:
        """As ``Ledger.delete``."""
        ...

    def amend(self, expense_id: int, changes: Mapping[str, Any], version: int | None) -> Expense:
        """As ``Ledger.amend``."""
        ...

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """As ``Ledger.search``."""
        ...

    def categories(self) -> list[CategoryTotal]:
        """As ``Ledger.categories``."""
        ...

    def changes(self, before: int | None = None, limit: int = 50) -> list[Change]:
        """As ``Ledger.changes``."""
        ...

    def undo(self, number: int) -> Undone:
        """As ``Ledger.undo``."""
        ...


@dataclass(frozen=True)
class Typed:
    """The values of the form, by the names of FIELDS.

    *date* is ISO; *refund* makes a plain amount negative; *tags* are separated as ``read_tags`` has it.
    """

    amount: str = ""
    category: str = ""
    description: str = ""
    date: str = ""
    refund: bool = False
    account: str = ""
    note: str = ""
    tags: str = ""

    @classmethod
    def of(cls, expense: Expense) -> Self:
        """The values with which *expense* would be typed."""
        written = {
            "amount": str(abs(expense.amount)),
            "date": str(expense.date),
            "account": expense.account or "",
            "tags": " ".join(expense.tags),
        }
        return cls(**{name: getattr(expense, name) for name in FIELDS} | written)

    def expense(self) -> NewExpense:
        """The payment that was typed; spaces around a value don't count.

        A blank annotation is not given, nor a blank category, which the ledger then decides.
        """
        amount = self.amount.strip()
        typed: dict[str, Any] = vars(self) | {
            "amount": f"-{amount}" if self.refund and not amount.startswith("-") else amount,
            "category": self.category.strip(),
            "date": self.date.strip(),
            "account": self.account.strip(),
            "note": self.note.strip(),
            "tags": read_tags(self.tags),
        }
        given = {name: value for name, value in typed.items() if value or name not in _MAY_LACK}
        return NewExpense.model_validate(given)


@dataclass(frozen=True)
class Ready:
    """Nothing was sent yet."""


@dataclass(frozen=True)
class Added:
    """The expense is on disk.

    *joined*: a bank had told of it, and it is that expense now. *looks_like* is a bank's expense that may be
    the same payment, and waits until somebody says so.
    """

    expense: Expense
    joined: bool = False
    looks_like: int | None = None


@dataclass(frozen=True)
class AlreadyRecorded:
    """The same payment was there; *differs* names the fields in which it is not what was typed."""

    expense: Expense
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class WasDeleted:
    """The same payment was recorded and then deleted. It can be restored, or added as another one."""

    expense_id: int


@dataclass(frozen=True)
class Refused:
    """Something typed can't be accepted; nothing was written."""

    errors: tuple[FieldError, ...]

    @property
    def lacks_only_a_category(self) -> bool:
        """All that is missing is a category, which neither the person said nor the ledger knows."""
        return [field for field, _ in self.errors] == ["category"]


@dataclass(frozen=True)
class NotReached:
    """The ledger could not be reached. What was typed can be sent again as it was."""

    reason: str


@dataclass(frozen=True)
class Amended:
    """A recorded expense was corrected by one click."""

    expense: Expense


@dataclass(frozen=True)
class NotAmended:
    """A recorded expense is as it was, for a *reason*."""

    reason: str


@dataclass(frozen=True)
class TakenBack:
    """What was added by mistake is deleted again, or a bank's alone if it was *joined*.

    *typed* is how it would be typed.
    """

    typed: Typed
    expense: Expense
    joined: bool = False


@dataclass(frozen=True)
class NotTakenBack:
    """The expense that was added, or *joined* with a bank's, is as it was, for a *reason*."""

    expense: Expense
    reason: str
    joined: bool = False


Outcome = (
    Ready
    | Added
    | AlreadyRecorded
    | WasDeleted
    | Refused
    | NotReached
    | Amended
    | NotAmended
    | TakenBack
    | NotTakenBack
)


def submit(ledger: Callable[[], Recorder], typed: Typed, another_key: str | None = None) -> Outcome:
    """Record what was typed and say what became of it.

    Args:
        ledger: Opens the ledger; called here, so that its errors become an outcome too.
        typed: The form as it was sent.
        another_key: The idempotency key of one more payment of this content, recorded once however often it
            is sent. Without one, equal content is the same payment.
    """

    def record() -> Outcome:
        receipt = ledger().record(typed.expense(), idempotency_key=another_key)
        if receipt.created or receipt.joined or another_key is not None:
            return Added(receipt.expense, receipt.joined, receipt.looks_like)
        return AlreadyRecorded(receipt.expense, receipt.differs)

    return _told(record)


def restore(ledger: Callable[[], Recorder], expense_id: int) -> Outcome:
    """Bring back the deleted payment that was typed again."""
    return _told(lambda: Added(ledger().restore(expense_id)))


def amend(
    ledger: Callable[[], Recorder], expense_id: int, changes: Mapping[str, Any], version: int
) -> Outcome:
    """Correct a recorded expense, unless somebody changed it since *version*."""
    try:
        return Amended(ledger().amend(expense_id, changes, version))
    except ExpenseError as failed:
        return NotAmended(str(failed))


def take_back(ledger: Callable[[], Recorder], expense: Expense, *, joined: bool = False) -> Outcome:
    """Delete what was just added, or undo that it was *joined* to a bank's, unless somebody changed it."""
    typed = Typed.of(expense)
    try:
        if joined:
            _part(ledger(), expense.id)
        else:
            ledger().delete(expense.id, version=expense.version)
    except ExpenseError as failed:
        return NotTakenBack(expense, str(failed), joined)
    return TakenBack(typed, expense, joined)


def _part(ledger: Recorder, expense_id: int) -> None:
    """Undo that a bank's expense became what a person entered.

    Raises:
        ChangedSince: somebody changed it since.
    """
    of_it = (each for each in ledger.changes() if each.expense_id == expense_id)
    last = next((each for each in of_it if each.change == "joined"), None)
    if last is None:
        raise ChangedSince([expense_id])
    ledger.undo(last.number)


def _told(act: Callable[[], Outcome]) -> Outcome:
    """The outcome of *act*, with its exceptions turned into outcomes."""
    try:
        return act()
    except ValidationError as refused:
        return Refused(InvalidInput.from_pydantic(refused).errors)
    except InvalidInput as refused:
        return Refused(refused.errors)
    except RecordedThenDeleted as deleted:
        return WasDeleted(deleted.expense_id)
    except ExpenseError as failed:
        return NotReached(str(failed))
    except Exception:  # noqa: BLE001 - what a callback raises would reach nobody but the log
        _log.exception("recording failed")
        return NotReached(messages.UNEXPECTED)
