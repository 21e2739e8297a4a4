"""What comes out of a ledger, as Pydantic models, each of them built when it is first used."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from expense_lib.domain.expense import ChangeKind
from expense_lib.domain.money import PLAIN_DECIMAL

AmountOut = Annotated[
    Decimal,
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": PLAIN_DECIMAL}),
]


def _is_none(value: object) -> bool:
    return value is None


class Answer(BaseModel):
    """What all that comes out of a ledger has in common."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class Expense(Answer):
    """One payment as the ledger has it. *dedup_key* is the one it was recorded with; times are UTC."""

    id: int
    amount: AmountOut
    category: str
    description: str
    date: dt.date
    occurrence: int
    refund: bool
    dedup_key: str
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime


class Receipt(Answer):
    """The answer to a submission: *created* now, or there already; either way *expense* is on disk."""

    created: bool
    expense: Expense


class Page(Answer):
    """Some of the expenses that match, and *count* and *total* of all of them, from one snapshot."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    items: tuple[Expense, ...]
    count: int
    total: AmountOut
    currency: str
    next_cursor: Annotated[str | None, Field(alias="next")] = None


class CategoryTotal(Answer):
    """One category, in the spelling first seen, with what is spent in it."""

    name: str
    count: int
    total: AmountOut


class Renamed(CategoryTotal):
    """The category in which the expenses are now. *number*, which undoes it, is None if it was so before."""

    number: int | None


class Recategorised(Answer):
    """How many expenses were moved, and how their category is spelled.

    *number*, which undoes it, is None if none was.
    """

    number: int | None
    count: int
    category: str


class Part(Answer):
    """What was spent in one month (``"2026-11"``), one category, or one category in one month."""

    month: Annotated[str | None, Field(exclude_if=_is_none)] = None
    category: Annotated[str | None, Field(exclude_if=_is_none)] = None
    count: int
    total: AmountOut


class Summary(Answer):
    """The totals of all expenses that match, by month, by category or both, in that order; one snapshot."""

    items: tuple[Part, ...]
    count: int
    total: AmountOut
    currency: str


class Snapshot(Answer):
    """What an expense was at one version."""

    amount: AmountOut
    category: str
    description: str
    date: dt.date
    occurrence: int
    refund: bool


class Version(Answer):
    """One version of an expense: what was done at *at* (UTC), from which values to which.

    *before* is None where it was not there, or deleted; *after* where it no longer was.
    """

    version: int
    change: ChangeKind
    at: dt.datetime
    before: Snapshot | None
    after: Snapshot | None


class LogEntry(Version):
    """One line of the ledger's log, at position *seq*. All lines of one change have its *number*.

    *dedup_key* is the one that the expense was recorded with.
    """

    seq: int
    number: int
    expense_id: int
    dedup_key: str


class Change(Answer):
    """One change to what was recorded, at *at* (UTC), by the *number* that undoes it.

    *count* is how many lines of the log it has; *expense_id*, *before* and *after* are those of the first, as
    ``Version`` has them.
    """

    number: int
    at: dt.datetime
    change: Literal["amended", "deleted", "restored"]
    count: int
    expense_id: int
    before: Snapshot | None
    after: Snapshot | None


class Undone(Answer):
    """What an undo did, by the ids of expenses: those put back as they were, those *kept* as they are now.

    An expense is kept if somebody changed the same of it since. *number* is the undo's own, to undo it in
    turn; None if everything was as before already.
    """

    number: int | None
    undone: tuple[int, ...]
    kept: tuple[int, ...]


class Health(Answer):
    """How a ledger's file is doing, where it can be read.

    *busy*: another writer holds it at this moment. That the disk is full shows when something is written, not
    here.
    """

    status: Literal["ok", "read-only"]
    readable: bool = True
    writable: bool
    busy: bool
    currency: str
    journal_mode: str
    synchronous: str
