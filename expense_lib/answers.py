"""What comes out of a ledger, as Pydantic models, each of them built when it is first used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from expense_lib.models import ChangeKind
from expense_lib.money import PLAIN_DECIMAL

AmountOut = Annotated[
    Decimal,
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": PLAIN_DECIMAL}),
]


What = Literal["created", "existing", "changed", "deleted", "skipped"]


def _is_none(value: object) -> bool:
    return value is None


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Expense(_Answer):
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


class Receipt(_Answer):
    """The answer to a submission: *created* now, or there already; either way *expense* is on disk."""

    created: bool
    expense: Expense


class Page(_Answer):
    """Some of the expenses that match, and *count* and *total* of all of them, from one snapshot."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    items: tuple[Expense, ...]
    count: int
    total: AmountOut
    currency: str
    next_cursor: Annotated[str | None, Field(alias="next")] = None


class CategoryTotal(_Answer):
    """One category, in the spelling first seen, with what is spent in it."""

    name: str
    count: int
    total: AmountOut


class Part(_Answer):
    """What was spent in one month (``"2026-11"``), one category, or one category in one month."""

    month: Annotated[str | None, Field(exclude_if=_is_none)] = None
    category: Annotated[str | None, Field(exclude_if=_is_none)] = None
    count: int
    total: AmountOut


class Summary(_Answer):
    """The totals of all expenses that match, by month, by category or both, in that order; one snapshot."""

    items: tuple[Part, ...]
    count: int
    total: AmountOut
    currency: str


class Snapshot(_Answer):
    """What an expense was at one version."""

    amount: AmountOut
    category: str
    description: str
    date: dt.date
    occurrence: int
    refund: bool


class Version(_Answer):
    """One version of an expense: what was done at *at* (UTC), from which values to which.

    *before* is None where it was not there, or deleted; *after* where it no longer was.
    """

    version: int
    change: ChangeKind
    at: dt.datetime
    before: Snapshot | None
    after: Snapshot | None


class Change(Version):
    """One line of the ledger's log, at position *seq*. All lines of one deed have its *number*.

    *dedup_key* is the one that the expense was recorded with.
    """

    seq: int
    number: int
    expense_id: int
    dedup_key: str


class Undone(_Answer):
    """What an undo did, by the ids of expenses: those put back as they were, those *kept* as they are now.

    An expense is kept if somebody changed the same of it since. *number* is the undo's own, to undo it in
    turn; None if everything was as before already.
    """

    number: int | None
    undone: tuple[int, ...]
    kept: tuple[int, ...]


class Rule(_Answer):
    """Payments of a statement whose description has *text*, whatever its case, are of *category*."""

    id: int
    text: str
    category: str


class Verdict(_Answer):
    """What an import makes of one row of a statement, the one on *line*.

    *what*: ``created`` as a new expense; ``existing`` in the ledger before; ``changed``, which is known by
    its reference but not with this content, so that nothing is written; ``deleted`` once, and left so;
    ``skipped``. *why* says it in words. *expense_id* is None where there is no expense, or none yet.
    *category* is that of the row. *looks_like* is an expense of the same amount within a few days that has
    another description; it may be the same payment.
    """

    line: int
    what: What
    why: str
    expense_id: int | None = None
    category: str | None = None
    looks_like: int | None = None


@dataclass(frozen=True)
class Imported:
    """What became of a statement's rows; nothing was written if it is a *dry_run*, which has no *id*.

    The numbers are those of the *verdicts*, one for each row in the order of the file. *bad* is how many
    lines were not understood.
    """

    id: int | None
    dry_run: bool
    created: int
    existing: int
    changed: int
    deleted: int
    skipped: int
    bad: int
    verdicts: Sequence[Verdict]


class Import(_Answer):
    """A statement that was imported at *at* (UTC), with its numbers as ``Imported`` has them.

    *source* is the file's name, if it had one; *undone_at* is None unless it was undone.
    """

    id: int
    at: dt.datetime
    source: str
    account: str
    created: int
    existing: int
    changed: int
    deleted: int
    skipped: int
    bad: int
    undone_at: dt.datetime | None


class Health(_Answer):
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
