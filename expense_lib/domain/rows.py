"""The rows that a store reads and writes, as plain tuples: expenses, log entries, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from expense_lib.domain.content import FIELDS, Content

ChangeKind = Literal["created", "amended", "deleted", "restored", "merged", "split", "held", "joined"]
OtherKind = Literal["rule", "import"]  # of a change of no expense
LogKind = ChangeKind | OtherKind
State = Literal["live", "deleted", "held", "merged", "skipped"]

# The changes after which an expense counts no more, and what it is then.
LEAVING: dict[str, State] = {"deleted": "deleted", "held": "held", "merged": "merged"}

# The columns of a stored expense, in the order of Row.
COLUMNS = (
    *("id", *FIELDS, "dedup_key", "version", "created_at", "updated_at", "deleted_at", "last_seq"),
    *("state", "entered", "merged_into", "part_of", "whole_minor", "said_account_key"),
)

_END = len(FIELDS)


class Row(NamedTuple):
    """An expense as the ledger has it. Times are UTC, RFC 3339.

    Attributes:
        deleted_at: Since when it is not live, whatever its state; None if it is.
        last_seq: Its last entry in the log.
        state: What it is: a held one waits for somebody to say what it is.
        entered: Whether a person told of it; else only a bank did.
        merged_into: The expense that it was found to be.
        part_of: The first part of the payment of which it is another part.
        whole_minor: For the first part of a payment, what all parts come to.
        said_account_key: The account as persons said it, folded; None where only a statement told of one.
    """

    id: int
    content: Content
    dedup_key: str
    version: int
    created_at: str
    updated_at: str
    deleted_at: str | None
    last_seq: int
    state: State = "live"
    entered: int = 1
    merged_into: int | None = None
    part_of: int | None = None
    whole_minor: int | None = None
    said_account_key: str | None = None

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
    """One entry of the log: *before* and *after* are contents; None is not there, or not live.

    *number* is that of the change that it is part of, *actor* who made it (empty: nobody is told apart),
    *earlier* the kind of the entry before it and *earlier_content* what that says, None for the first. The
    entry of a change of no expense has only a number, a kind, a time and an actor.
    """

    seq: int
    number: int
    kind: LogKind
    at: str
    actor: str
    expense_id: int
    version: int
    before: Content | None
    after: Content | None
    content: Content
    earlier: ChangeKind | None = None
    earlier_content: Content | None = None

    @property
    def state(self) -> State:
        """What the expense is afterwards."""
        return LEAVING.get(self.kind, "live")

    @property
    def earlier_state(self) -> State:
        """What the expense was before; before it was there, it is as good as deleted."""
        return "deleted" if self.earlier is None else LEAVING.get(self.earlier, "live")

    @classmethod
    def of(cls, columns: tuple[Any, ...]) -> Entry:
        """From a row of the store: the fields up to *version*, FIELDS, the kind before, and FIELDS before."""
        kind, content = columns[2], Content(*columns[7 : 7 + _END])
        earlier_kind, earlier = columns[7 + _END], columns[8 + _END : 8 + 2 * _END]
        said = None if earlier_kind is None else Content(*earlier)
        before = None if earlier_kind in LEAVING else said
        after = None if kind in LEAVING else content
        return cls._make((*columns[:7], before, after, content, earlier_kind, said))


@dataclass(frozen=True, slots=True)
class Sum:
    """A number of expenses and their exact sum in minor units."""

    count: int
    total_minor: int
