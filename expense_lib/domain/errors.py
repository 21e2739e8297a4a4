"""The errors of this library, one class for each mistake.

All derive from ExpenseError, and each also from the built-in that a stranger would catch.
An error builds its own sentence, which is fit to be shown to a person and repeats nothing of
what was sent. Its parts are its attributes, named as the parameters that make it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from pydantic import ValidationError

PROBLEM_TYPE_PREFIX = "urn:expense-ledger:problem:"  # before an error's code, as a problem's type (RFC 9457)

MAX_FIELD_ERRORS = 20
UNKNOWN_NAME = "is not a known name"


class FieldError(NamedTuple):
    """One field that can't be accepted: *field* as the sender names it, *message* a sentence's end.

    A field of an object in the whole has a point: ``where.date_from``; one of a list of objects its number
    too, from 0: ``parts.0.amount``. The field is empty where it is the whole that can't be.
    """

    field: str
    message: str


class ExpenseError(Exception):
    """The base of every error that this library raises on purpose. *code* names its kind to machines."""

    code: ClassVar[str]

    def __reduce__(self) -> tuple[Any, ...]:
        return _as_it_was, (
            type(self),
            self.args,
            vars(self),
        )  # so that it survives the way between processes


def _as_it_was(kind: type[ExpenseError], args: tuple[Any, ...], parts: dict[str, Any]) -> ExpenseError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(parts)
    return error


class InvalidInput(ExpenseError, ValueError):
    """Well-formed, but not acceptable: nothing was written."""

    code = "invalid-input"

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{field or 'what was sent'} {message}" for field, message in self.errors))

    @classmethod
    def from_pydantic(cls, refused: ValidationError) -> InvalidInput:
        """The same refusal, field by field, without the input and in words for whoever sent it."""
        return cls(
            FieldError(
                _name(error["loc"]),
                _WORDS.get(error["type"], error["msg"]).format_map(error.get("ctx", {})),
            )
            for error in refused.errors(include_url=False, include_input=False)[:MAX_FIELD_ERRORS]
        )


def _name(loc: tuple[int | str, ...]) -> str:
    """A place as FieldError names it: an item of a list only where one of its fields follows."""
    end = max((at for at, part in enumerate(loc, 1) if isinstance(part, str)), default=0)
    return ".".join(map(str, loc[:end]))


_WORDS = {
    "value_error": "{error}",
    "missing": "is required",
    "extra_forbidden": UNKNOWN_NAME,
    "string_type": "must be a text",
    "string_unicode": "must not hold control characters or lone surrogates",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length} characters",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must be an object with named fields",
    "dict_type": "must be an object with named fields",
}


class AmountError(InvalidInput):
    """The amount is finer or larger than the ledger's currency can hold, exactly."""

    code = "amount-out-of-range"


class CursorError(InvalidInput):
    """The cursor is not one that a page of this sort gave, or is of before a return to a backup."""

    code = "cursor-unknown"

    @classmethod
    def of_before(cls, field: str) -> CursorError:
        """The refusal of a place in a list of which the ledger has another by now."""
        return cls([FieldError(field, "is of before the ledger went back to a backup; begin anew")])


class StatementUnclear(InvalidInput):
    """A statement leaves something open, which must be said: *choices* are what it can be.

    *mapping* is what was found meanwhile, where a column is asked for: the columns of the other fields.
    """

    code = "statement-unclear"

    def __init__(
        self,
        errors: Iterable[FieldError],
        choices: Iterable[str] = (),
        mapping: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.choices = tuple(choices)
        self.mapping = dict(mapping or {})
        super().__init__(errors)


class NotAStatement(ExpenseError, ValueError):
    """The file is no statement, or can't be read."""

    code = "not-a-statement"


class CurrencyError(ExpenseError, ValueError):
    """No ledger can be kept in this currency, or this ledger is kept in another."""

    code = "currency"


class IdempotencyKeyError(ExpenseError, ValueError):
    """The idempotency key is malformed."""

    code = "idempotency-key-malformed"

    def __init__(self) -> None:
        super().__init__("An idempotency key is 1 to 255 visible ASCII characters.")


class IdempotencyKeyReused(ExpenseError, ValueError):
    """The idempotency key was first sent with another body; *fields* differ. Nothing was written."""

    code = "idempotency-key-reused"

    def __init__(self, fields: Iterable[str]) -> None:
        self.fields = list(fields)
        super().__init__(
            f"This idempotency key was first sent with another {' and '.join(self.fields)}. "
            "Send another expense with a key of its own."
        )


class ExpenseNotFound(ExpenseError, LookupError):
    """No expense has, or ever had, this id."""

    code = "expense-not-found"

    def __init__(self, expense_id: int) -> None:
        self.expense_id = expense_id
        super().__init__(f"There is no expense {expense_id}.")


class ExpenseDeleted(ExpenseError, LookupError):
    """The expense was deleted; restoring it brings it back under the same id."""

    code = "expense-deleted"

    def __init__(self, expense_id: int) -> None:
        self.expense_id = expense_id
        super().__init__(f"Expense {expense_id} was deleted. Restore it to have it back.")


class ExpenseMerged(ExpenseError, LookupError):
    """The expense was found to be the same payment as another, which has its keys. Nothing was written."""

    code = "expense-merged"

    def __init__(self, expense_id: int, into: int, number: int) -> None:
        self.expense_id, self.into, self.number = expense_id, into, number
        super().__init__(
            f"Expense {expense_id} is the same payment as expense {into}. Undo change {number} to have both."
        )


class ExpenseHeld(ExpenseError, LookupError):
    """The expense waits for somebody to say what it is. Nothing was written."""

    code = "expense-held"

    def __init__(self, expense_id: int) -> None:
        self.expense_id = expense_id
        super().__init__(
            f"Expense {expense_id} waits to be decided: the same as another, a new one, or to be left out."
        )


class NotUndecided(ExpenseError, ValueError):
    """There is nothing to be decided about the expense. Nothing was written."""

    code = "not-undecided"

    def __init__(self, expense_id: int) -> None:
        self.expense_id = expense_id
        super().__init__(f"There is nothing to be decided about expense {expense_id}.")


class RecordedThenDeleted(ExpenseError, ValueError):
    """The submission repeats a deleted expense, which does not come back by itself. Nothing was written."""

    code = "recorded-then-deleted"

    def __init__(self, expense_id: int) -> None:
        self.expense_id = expense_id
        super().__init__(
            f"This is expense {expense_id}, which was deleted. Restore it, or record another one with "
            "a fresh idempotency key or another occurrence."
        )


class StaleVersion(ExpenseError, ValueError):
    """The expense was changed since it was read: its version is *version* now. Nothing was written."""

    code = "stale-version"

    def __init__(self, expense_id: int, version: int) -> None:
        self.expense_id = expense_id
        self.version = version
        super().__init__(f"Expense {expense_id} was changed meanwhile: it is at version {version} now.")


class LedgerRestored(ExpenseError, ValueError):
    """The ledger went back to a backup since: the id or version is of another time. Nothing was written."""

    code = "ledger-restored"

    def __init__(self) -> None:
        super().__init__(
            "The ledger went back to a backup since you looked, and what you saw may be another expense now. "
            "Look again."
        )


class CategoryNotFound(ExpenseError, LookupError):
    """No live expense has this category."""

    code = "category-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such category.")


class ChangeNotFound(ExpenseError, LookupError):
    """No change has this number."""

    code = "change-not-found"

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"There is no change {number}.")


class ImportNotFound(ExpenseError, LookupError):
    """No import has this id."""

    code = "import-not-found"

    def __init__(self, import_id: int) -> None:
        self.import_id = import_id
        super().__init__(f"There is no import {import_id}.")


class RuleNotFound(ExpenseError, LookupError):
    """No rule has this id."""

    code = "rule-not-found"

    def __init__(self, rule_id: int) -> None:
        self.rule_id = rule_id
        super().__init__(f"There is no rule {rule_id}.")


class ChangedSince(ExpenseError, ValueError):
    """A change can't be undone, since all its expenses were changed again later. Nothing was written."""

    code = "changed-since"

    def __init__(self, expense_ids: Iterable[int]) -> None:
        self.expense_ids = list(expense_ids)
        named = ", ".join(map(str, self.expense_ids))
        super().__init__(f"This was changed again since; undo that first. Expenses: {named}.")


class BuiltUpon(ExpenseError, ValueError):
    """A change can't be undone, since a later one builds on it. Nothing was written."""

    code = "built-upon"

    def __init__(self, number: int, later: int) -> None:
        self.number, self.later = number, later
        super().__init__(f"Change {later} builds on change {number}; undo that first.")


class AnalyticsUnavailable(ExpenseError, RuntimeError):
    """DuckDB or its SQLite extension is not installed, or their versions do not match."""

    code = "analytics-unavailable"


class LedgerUnavailable(ExpenseError, OSError):
    """The ledger can't be reached, read or written. Nothing was acknowledged; sending again is safe."""

    code = "ledger-unavailable"


class LedgerBusy(LedgerUnavailable):
    """Another writer held the ledger too long. Nothing was written; sending again is safe."""

    code = "ledger-busy"

    def __init__(self) -> None:
        super().__init__("The ledger is busy with another writer. Nothing was written; try again.")


class NotALedger(LedgerUnavailable):
    """The file is there, but it is no ledger. It was not changed."""


class LedgerMoved(LedgerUnavailable):
    """The file was removed or replaced while it was open. What was just sent may be lost; send it again."""

    def __init__(self) -> None:
        super().__init__("The ledger's file was removed or replaced. Try again to use what is there now.")


class LedgerLogMoved(LedgerUnavailable):
    """The log beside the file was removed or replaced while it was open. What was just sent may be lost."""

    def __init__(self) -> None:
        super().__init__(
            "The log beside the ledger's file (-wal) was removed or replaced while it was in use. "
            "What was just sent may be lost: look, and send it again."
        )


class LedgerLogForeign(LedgerUnavailable):
    """The log beside the file is not the one that belongs to it. Both are left as they were."""

    def __init__(self) -> None:
        super().__init__(
            "The log beside the ledger's file (-wal) is of another ledger or another time: the file was put "
            "there while the log of the one before was left. Nothing was changed. Move the log away to have "
            "the file as it is."
        )


class LedgerUnsafe(LedgerUnavailable):
    """The ledger can be read but not written: what is written could get lost. *why* says it in words."""

    code = "ledger-unsafe"

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"The ledger can be read, but not written: {why}.")


class LedgerDamaged(LedgerUnavailable):
    """SQLite found the file damaged. Take the last backup."""

    code = "ledger-damaged"

    def __init__(self) -> None:
        super().__init__("The ledger's file is damaged. Nothing was written; go back to a backup.")


class LedgerTooNew(LedgerUnavailable):
    """The ledger was last written by a newer version of this library. It was not changed."""
