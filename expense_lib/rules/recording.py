"""The rules of recording: which submission is a repeat of what, and which is one more payment."""

from __future__ import annotations

import sqlite3
from typing import Any

from expense_lib.domain.errors import (
    ExpenseNotFound,
    FieldError,
    IdempotencyKeyReused,
    InvalidInput,
    RecordedThenDeleted,
)
from expense_lib.domain.expense import NewExpense
from expense_lib.domain.keys import MAX_OCCURRENCE, Content, check_idempotency_key
from expense_lib.domain.limits import MAX_ID
from expense_lib.domain.money import Currency
from expense_lib.store import expenses
from expense_lib.store.expenses import Row


class Submission:
    """What somebody sent to be recorded. *dedup_key* is that of the occurrence it names, or of the first."""

    def __init__(self, new: NewExpense, currency: Currency, idempotency_key: str | None) -> None:
        check_idempotency_key(idempotency_key)
        self.new = new
        self.content = new.content(currency)
        self.idempotency_key = idempotency_key
        self.dedup_key = self.content.dedup_key(new.occurrence or 1)

    def request(self) -> dict[str, Any]:
        """What was sent, by the sender's field names, in the form in which two bodies are compared."""
        return {
            "amount": self.content.amount_minor,
            "category": self.content.category_key,
            "description": self.content.description,
            "date": self.content.date.isoformat(),
            "occurrence": self.new.occurrence,
        }


def known(con: sqlite3.Connection, sent: Submission) -> Row | None:
    """The expense that this submission is a repeat of, if it is one.

    Raises:
        IdempotencyKeyReused: the key was first sent with another body.
        RecordedThenDeleted: it is a repeat of a deleted expense.
    """
    if sent.idempotency_key is None:
        claim = expenses.claim(con, sent.dedup_key)
    else:
        claim = expenses.claim(con, _name(sent.idempotency_key))
        if claim is not None:
            _refuse_another_body(claim.request or {}, sent.request())
    return None if claim is None else _live(claim.owner)


def added(con: sqlite3.Connection, sent: Submission) -> tuple[Row, bool]:
    """Add what is not known, with its keys; or join a fresh idempotency key to the expense that is there.

    Returns:
        The expense, and whether it was added.

    Raises:
        RecordedThenDeleted: the occurrence that it names is a deleted expense's.
        InvalidInput: no occurrence is free.
        sqlite3.IntegrityError: it is known by now. Nothing was added, if the caller rolls back.
    """
    content, occurrence = sent.content, sent.new.occurrence
    if sent.idempotency_key is None:
        return expenses.add_expense(con, content, sent.new.category, occurrence or 1, sent.dedup_key), True
    owner = None
    if occurrence is None:
        occurrence = next_free(con, content)
    else:
        owner = expenses.claim(con, sent.dedup_key)
    if owner is None:
        row = expenses.add_expense(con, content, sent.new.category, occurrence, content.dedup_key(occurrence))
    else:
        row = _live(owner.owner)
    expenses.add_claim(con, _name(sent.idempotency_key), row.id, sent.request())
    return row, owner is None


def next_free(con: sqlite3.Connection, content: Content, after: int = 0) -> int:
    """The smallest occurrence of *content*, larger than *after*, whose key nobody owns, not even the deleted.

    Raises:
        InvalidInput: all are taken.
    """
    for occurrence in range(after + 1, MAX_OCCURRENCE + 1):
        if expenses.claim(con, content.dedup_key(occurrence)) is None:
            return occurrence
    raise InvalidInput([FieldError("occurrence", f"has none left: {MAX_OCCURRENCE} are taken")])


def found(con: sqlite3.Connection, expense_id: int) -> Row:
    """The expense of this id, live or deleted.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = expenses.expense(con, expense_id) if 1 <= expense_id <= MAX_ID else None
    if row is None:
        raise ExpenseNotFound(expense_id)
    return row


def _live(row: Row) -> Row:
    if row.deleted_at is not None:
        raise RecordedThenDeleted(row.id)
    return row


def _name(idempotency_key: str) -> str:
    """An idempotency key's name among the claims, where it can't be taken for a dedup key."""
    return f"sent:{idempotency_key}"


def _refuse_another_body(first: dict[str, Any], again: dict[str, Any]) -> None:
    differing = [field for field in again if again[field] != first.get(field)]
    if differing:
        raise IdempotencyKeyReused(differing)
