"""What comes out of a ledger, as Pydantic models."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from expense_lib.models import ChangeKind

AmountOut = Annotated[
    Decimal, PlainSerializer(str, when_used="json"), WithJsonSchema({"type": "string", "examples": ["12.50"]})
]


class Expense(BaseModel):
    """One payment as the ledger has it. *dedup_key* is the one it was recorded with; times are UTC."""

    model_config = ConfigDict(frozen=True)

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


class Receipt(BaseModel):
    """The answer to a submission: *created* now, or there already; either way *expense* is on disk."""

    model_config = ConfigDict(frozen=True)

    created: bool
    expense: Expense


class Page(BaseModel):
    """Some of the expenses that match, and *count* and *total* of all of them, from one snapshot."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    items: tuple[Expense, ...]
    count: int
    total: AmountOut
    currency: str
    next_cursor: Annotated[str | None, Field(alias="next")] = None


class CategoryTotal(BaseModel):
    """One category, in the spelling first seen, with what is spent in it."""

    model_config = ConfigDict(frozen=True)

    name: str
    count: int
    total: AmountOut


class Snapshot(BaseModel):
    """What an expense was at one version."""

    model_config = ConfigDict(frozen=True)

    amount: AmountOut
    category: str
    description: str
    date: dt.date
    occurrence: int
    refund: bool


class Version(BaseModel):
    """One version of an expense: what was done at *at* (UTC), from which values to which.

    *before* is None where it was not there, or deleted; *after* where it no longer was.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    change: ChangeKind
    at: dt.datetime
    before: Snapshot | None
    after: Snapshot | None


class Change(Version):
    """One line of the ledger's log, at position *seq*. All lines of one deed have its *number*."""

    seq: int
    number: int
    expense_id: int


class Undone(BaseModel):
    """What an undo did, by the ids of expenses: those put back as they were, those *kept* as they are now.

    An expense is kept if somebody changed the same of it since. *number* is the undo's own, to undo it in
    turn; None if everything was as before already.
    """

    model_config = ConfigDict(frozen=True)

    number: int | None
    undone: tuple[int, ...]
    kept: tuple[int, ...]
