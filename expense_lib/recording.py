"""The rules of recording: which submission is a repeat of what, and which is one more payment."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

from expense_lib.dedup import MAX_OCCURRENCE, Content
from expense_lib.errors import (
    ExpenseNotFound,
    FieldError,
    IdempotencyKeyReused,
    InvalidInput,
    RecordedThenDeleted,
)
from expense_lib.models import MAX_ID, NewExpense
from expense_lib.store import rows
from expense_lib.store.rows import Row


def known(
    con: sqlite3.Connection, new: NewExpense, content: Content, idempotency_key: str | None
) -> Row | None:
    """The expense that this submission is a repeat of, if it is one.

    Raises:
        IdempotencyKeyReused: the key was first sent with another body.
        RecordedThenDeleted: it is a repeat of a deleted expense.
    """
    if idempotency_key is None:
        claim = rows.claim(con, content.dedup_key(new.occurrence or 1))
    else:
        claim = rows.claim(con, _sent(idempotency_key))
        if claim is not None:
            _refuse_another_body(claim.request or {}, _request(new, content))
    return None if claim is None else _live(con, claim.expense_id)


def added(
    con: sqlite3.Connection, new: NewExpense, content: Content, idempotency_key: str | None
) -> tuple[Row, bool]:
    """Add what is not known, with its keys; or join a fresh idempotency key to the expense that is there.

    Returns:
        The expense, and whether it was added.

    Raises:
        RecordedThenDeleted: the occurrence that it names is a deleted expense's.
        InvalidInput: no occurrence is free.
    """
    occurrence = new.occurrence or (1 if idempotency_key is None else next_free(con, content))
    dedup_key = content.dedup_key(occurrence)
    owner = rows.claim(con, dedup_key)
    if owner is not None:
        row = _live(con, owner.expense_id)
    else:
        row = rows.add_expense(con, content, new.category, occurrence, dedup_key, now())
    if idempotency_key is not None:
        rows.add_claim(con, _sent(idempotency_key), row.id, _request(new, content))
    return row, owner is None


def next_free(con: sqlite3.Connection, content: Content) -> int:
    """The smallest occurrence of *content* whose key nobody owns, deleted expenses included.

    Raises:
        InvalidInput: all are taken.
    """
    for occurrence in range(1, MAX_OCCURRENCE + 1):
        if rows.claim(con, content.dedup_key(occurrence)) is None:
            return occurrence
    raise InvalidInput([FieldError("occurrence", f"has none left: {MAX_OCCURRENCE} are taken")])


def found(con: sqlite3.Connection, expense_id: int) -> Row:
    """The expense of this id, live or deleted.

    Raises:
        ExpenseNotFound: there is none.
    """
    row = rows.expense(con, expense_id) if 1 <= expense_id <= MAX_ID else None
    if row is None:
        raise ExpenseNotFound(expense_id)
    return row


def now() -> str:
    """This moment in UTC, as RFC 3339 and the ledger write it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _live(con: sqlite3.Connection, expense_id: int) -> Row:
    row = found(con, expense_id)
    if row.deleted_at is not None:
        raise RecordedThenDeleted(expense_id)
    return row


def _sent(idempotency_key: str) -> str:
    """An idempotency key's name among the claims, where it can't be taken for a dedup key."""
    return f"sent:{idempotency_key}"


def _request(new: NewExpense, content: Content) -> dict[str, Any]:
    """What was sent, by the sender's field names, in the form in which two bodies are compared."""
    return {
        "amount": content.amount_minor,
        "category": content.category_key,
        "description": content.description,
        "date": content.date.isoformat(),
        "occurrence": new.occurrence,
    }


def _refuse_another_body(first: dict[str, Any], again: dict[str, Any]) -> None:
    differing = [field for field in again if again[field] != first.get(field)]
    if differing:
        raise IdempotencyKeyReused(differing)
