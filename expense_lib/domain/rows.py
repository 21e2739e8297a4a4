"""The rows that a store reads and writes, as plain tuples: expenses, log entries, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from expense_lib.domain.content import FIELDS, Content

ChangeKind = Literal["created", "amended", "deleted", "restored"]

# The columns of a stored expense, in the order of Row.
COLUMNS = ("id", *FIELDS, "dedup_key", "version", "created_at", "updated_at", "deleted_at", "last_seq")

_END = len(FIELDS)


class Row(NamedTuple):
    """An expense as the ledger has it. Times are UTC, RFC 3339; *last_seq* is its last entry in the log."""

    id: int
    content: Content
    dedup_key: str
    version: int
    created_at: str
    updated_at: str
    deleted_at: str | None
    last_seq: int

    @classmethod
    def of(cls, columns: tuple[Any, ...]) -> Row:
        """From a row of the store: the id, the columns of FIELDS, and the rest in the order above."""
        return cls(columns[0], Content(*columns[1 : 1 + _END]), *columns[1 + _END :])


class Revision(NamedTuple):
    """The next version of an expense, decided and not written yet."""

    before: Row
    content: Content
    kind: ChangeKind


class Entry(NamedTuple):
    """One entry of the log: *before* and *after* are contents; None is not there, or deleted.

    *number* is that of the change that it is part of, *actor* who made it (empty: nobody is told apart).
    """

    seq: int
    number: int
    kind: ChangeKind
    at: str
    actor: str
    expense_id: int
    version: int
    before: Content | None
    after: Content | None
    content: Content

    @classmethod
    def of(cls, columns: tuple[Any, ...]) -> Entry:
        """From a row of the store: the fields up to *version*, FIELDS, the kind before, and FIELDS before."""
        kind, content = columns[2], Content(*columns[7 : 7 + _END])
        earlier_kind, earlier = columns[7 + _END], columns[8 + _END : 8 + 2 * _END]
        before = None if earlier_kind in (None, "deleted") else Content(*earlier)
        return cls._make((*columns[:7], before, None if kind == "deleted" else content, content))


@dataclass(frozen=True, slots=True)
class Sum:
    """A number of expenses and their exact sum in minor units."""

    count: int
    total_minor: int
