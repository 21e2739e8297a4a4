"""Recording what a person typed into the form, and the outcome: created, repeated, refused or unreachable."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from pydantic import ValidationError

from expense_lib.app import messages
from expense_lib.app.filters import read_tags
from expense_lib.domain.content import ANNOTATIONS
from expense_lib.domain.errors import ExpenseError, FieldError, InvalidInput, RecordedThenDeleted
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.filters import ExpenseFilter
from expense_lib.domain.results import Expense, Page, Receipt

MORE = ("account", "tags", "note")  # in the order of the form, as FIELDS
FIELDS = ("amount", "description", "category", "date", "refund", *MORE)

_KEPT = ("category", "date", "account")  # from one expense to the next

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

    def search(self, wanted: ExpenseFilter | None = None) -> Page:
        """As ``Ledger.search``."""
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
        """The payment that was typed; spaces around a value don't count. A blank annotation is not given."""
        amount = self.amount.strip()
        typed: dict[str, Any] = vars(self) | {
            "amount": f"-{amount}" if self.refund and not amount.startswith("-") else amount,
            "date": self.date.strip(),
            "account": self.account.strip(),
            "note": self.note.strip(),
            "tags": read_tags(self.tags),
        }
        given = {name: value for name, value in typed.items() if value or name not in ANNOTATIONS}
        return NewExpense.model_validate(given)

    def is_blank(self) -> bool:
        """Nothing is typed but what the form keeps from one expense to the next, and the refund's box."""
        typed = (value for name, value in vars(self).items() if name not in _KEPT)
        return not any(isinstance(value, str) and value.strip() for value in typed)


@dataclass(frozen=True)
class Ready:
    """Nothing was sent yet."""


@dataclass(frozen=True)
class Added:
    """The expense is on disk."""

    expense: Expense


@dataclass(frozen=True)
class AlreadyRecorded:
    """The same payment was there; *differs* names the fields in which it is not what was typed.

    *another_key* records it once more, once however often it is sent.
    """

    typed: Typed
    expense: Expense
    another_key: str
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class WasDeleted:
    """The same payment was recorded and then deleted. It can be restored, or added as another one."""

    typed: Typed
    expense_id: int
    another_key: str


@dataclass(frozen=True)
class Refused:
    """Something typed can't be accepted; nothing was written."""

    errors: tuple[FieldError, ...]


@dataclass(frozen=True)
class NotReached:
    """The ledger could not be reached. *another_key* is what it was sent with, to be sent again."""

    typed: Typed
    reason: str
    another_key: str | None


@dataclass(frozen=True)
class TakenBack:
    """The expense that was added by mistake is deleted again. *typed* is how it would be typed."""

    typed: Typed
    expense: Expense


@dataclass(frozen=True)
class NotTakenBack:
    """The expense that was added is there still, for a *reason*."""

    expense: Expense
    reason: str


Outcome = Ready | Added | AlreadyRecorded | WasDeleted | Refused | NotReached | TakenBack | NotTakenBack


def submit(ledger: Callable[[], Recorder], typed: Typed, before: Outcome) -> Outcome:
    """Record what was typed and say what became of it.

    Args:
        ledger: Opens the ledger; called here, so that its errors become an outcome too.
        typed: The form as it was sent.
        before: What the form showed. After an expense was added, a form sent blank is the second
            half of a double click and changes nothing; after a failure, the same form goes on
            with the key that it was sent with.
    """
    if isinstance(before, Added) and typed.is_blank():
        return before
    if isinstance(before, NotReached) and before.typed == typed:
        return _record(ledger, typed, before.another_key)
    return _record(ledger, typed, None)


def submit_another(ledger: Callable[[], Recorder], before: AlreadyRecorded | WasDeleted) -> Outcome:
    """Record the same content as one more payment, with the key that *before* holds for it."""
    return _record(ledger, before.typed, before.another_key)


def restore(ledger: Callable[[], Recorder], before: WasDeleted) -> Outcome:
    """Bring back the deleted payment that was typed again."""
    return _told(before.typed, None, lambda: Added(ledger().restore(before.expense_id)))


def take_back(ledger: Callable[[], Recorder], expense: Expense) -> Outcome:
    """Delete the expense that was just added, unless somebody changed it since."""
    typed = Typed.of(expense)
    try:
        ledger().delete(expense.id, version=expense.version)
    except ExpenseError as failed:
        return NotTakenBack(expense, str(failed))
    return TakenBack(typed, expense)


def _record(ledger: Callable[[], Recorder], typed: Typed, another_key: str | None) -> Outcome:
    def record() -> Outcome:
        receipt = ledger().record(typed.expense(), idempotency_key=another_key)
        if receipt.created or another_key is not None:
            return Added(receipt.expense)
        return AlreadyRecorded(typed, receipt.expense, uuid.uuid4().hex, receipt.differs)

    return _told(typed, another_key, record)


def _told(typed: Typed, another_key: str | None, act: Callable[[], Outcome]) -> Outcome:
    """The outcome of *act*, with its exceptions turned into outcomes."""
    try:
        return act()
    except ValidationError as refused:
        return Refused(InvalidInput.from_pydantic(refused).errors)
    except InvalidInput as refused:
        return Refused(refused.errors)
    except RecordedThenDeleted as deleted:
        return WasDeleted(typed, deleted.expense_id, another_key=uuid.uuid4().hex)
    except ExpenseError as failed:
        return NotReached(typed, str(failed), another_key)
    except Exception:  # noqa: BLE001 - what a callback raises would reach nobody but the log
        _log.exception("recording failed")
        return NotReached(typed, messages.UNEXPECTED, another_key)
