"""Result models of a ledger; Pydantic builds each on first use."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from expense_lib.domain.money import PLAIN_DECIMAL
from expense_lib.domain.rows import ChangeKind

AmountOut = Annotated[
    Decimal,
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": PLAIN_DECIMAL}),
]


def _is_none(value: object) -> bool:
    return value is None


def _is_false(value: object) -> bool:
    return value is False


def _is_empty(value: tuple[str, ...]) -> bool:
    return not value


class Answer(BaseModel):
    """The base of all result models: immutable."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class Values(Answer):
    """The fields of an expense at one version. *account* is None where it is not known."""

    amount: AmountOut
    category: str
    description: str
    date: dt.date
    occurrence: int
    refund: bool
    account: str | None = None
    note: str = ""
    tags: tuple[str, ...] = ()


class _Numbered(Answer):
    id: int


class Expense(Values, _Numbered):
    """One payment as the ledger has it. *dedup_key* is the one it was recorded with; times are UTC.

    Of a payment that is split each part is an expense: *whole* of the first is what all come to, *part_of* of
    the others is the first.
    """

    dedup_key: str
    version: int
    created_at: dt.datetime
    updated_at: dt.datetime
    part_of: Annotated[int | None, Field(exclude_if=_is_none)] = None
    whole: Annotated[AmountOut | None, Field(exclude_if=_is_none)] = None


class Recorded(Expense):
    """An expense that was recorded. *looks_like* is a bank's that may be the same payment, and waits."""

    looks_like: Annotated[int | None, Field(exclude_if=_is_none)] = None


class Replayed(Expense):
    """An expense that was there, with the fields in which it *differs* from what was sent.

    *joined*: only a bank had told of it so far.
    """

    differs: Annotated[tuple[str, ...], Field(exclude_if=_is_empty)] = ()
    joined: Annotated[bool, Field(exclude_if=_is_false)] = False


class Receipt(Answer):
    """The answer to a submission: *created* now, or there already. *expense* is on disk.

    *differs* names the fields in which the expense is not, or no longer, what was sent: it was corrected
    since, or has other annotations. *joined*: a bank had told of it, with certainty, and it is that expense.
    *looks_like* is a bank's expense that may be the same payment: it counts nowhere until that is decided.
    """

    created: bool
    expense: Expense
    differs: tuple[str, ...] = ()
    joined: bool = False
    looks_like: int | None = None


class Page(Answer):
    """Some of the expenses that match, and *count* and *total* of all of them, from one snapshot."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    items: tuple[Expense, ...]
    count: int
    total: AmountOut
    currency: str
    next_cursor: Annotated[str | None, Field(alias="next")] = None


class CategoryTotal(Answer):
    """One category or account, in the spelling first seen, with what is spent in it."""

    name: str
    count: int
    total: AmountOut


class Position(Answer):
    """Where a ledger is: an opaque text, another one as soon as anything in the ledger is another."""

    position: str


class Overview(Page, Position):
    """A page, with what else there is to see, from the same snapshot.

    *first* and *last* are the days between which the expenses that match lie, None if there are none.
    *categories* and *accounts* are all of the ledger's, whatever the filter; accounts by name only. *ledger*
    is its id.
    """

    ledger: str
    first: dt.date | None
    last: dt.date | None
    categories: tuple[CategoryTotal, ...]
    accounts: tuple[str, ...]


class Renamed(CategoryTotal):
    """The category in which the expenses are now. *number*, which undoes it, is None if it was so before."""

    number: int | None


class Recategorised(Answer):
    """The result of a bulk move: how many expenses were moved, and how their category is spelled.

    *number*, which undoes it, is None if none was.
    """

    number: int | None
    count: int
    category: str


class Part(Answer):
    """The total of one month (``"2026-11"``), category, account or tag, or of a combination of two.

    An empty *account* or *tag* stands for the expenses that have none. An expense of two tags counts in both.
    """

    month: Annotated[str | None, Field(exclude_if=_is_none)] = None
    category: Annotated[str | None, Field(exclude_if=_is_none)] = None
    account: Annotated[str | None, Field(exclude_if=_is_none)] = None
    tag: Annotated[str | None, Field(exclude_if=_is_none)] = None
    count: int
    total: AmountOut


class Summary(Answer):
    """The totals of all expenses that match, by one part or two, in that order; one snapshot."""

    items: tuple[Part, ...]
    count: int
    total: AmountOut
    currency: str


class Version(Answer):
    """One version of an expense: what was done at *at* (UTC) and *by* whom, from which values to which.

    *by* is empty where nobody is told apart. *before* is None where it was not there, or deleted; *after*
    where it no longer was.
    """

    version: int
    change: ChangeKind
    at: dt.datetime
    by: str = ""
    before: Values | None
    after: Values | None


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
    ``Version`` has them. The change of a rule, whose text is *rule*, is of no expense, nor is the undo of an
    import that brought nothing.
    """

    number: int
    at: dt.datetime
    by: str = ""
    change: Literal["amended", "deleted", "restored", "merged", "split", "held", "joined", "rule", "import"]
    count: int
    expense_id: int | None
    rule: Annotated[str | None, Field(exclude_if=_is_none)] = None
    before: Values | None
    after: Values | None


class Undecided(Answer):
    """A payment of which somebody is to say what it is.

    *kind* ``row``: a bank told of it, and it counts nowhere until it is decided. ``pair``: it is the later
    one of two expenses that look like one payment; both count. *candidates* are the expenses that it may be,
    the likeliest first; *why* says it in words.
    """

    id: int
    kind: Literal["row", "pair"]
    date: dt.date
    amount: AmountOut
    category: str
    description: str
    account: str | None
    candidates: tuple[int, ...]
    why: str


class Undone(Answer):
    """The ids of the expenses that an undo reverted (*undone*), and of those that it left alone (*kept*).

    An expense is kept if somebody changed the same field later. *number* is the undo's own, to undo it in
    turn; None if everything was as before already.
    """

    number: int | None
    undone: tuple[int, ...]
    kept: tuple[int, ...]


class Health(Answer):
    """The state of a ledger's file, where it can be read.

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
