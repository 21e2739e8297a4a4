"""What a person may say of one row of a statement: new, the same as an expense, leave out, or nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expense_lib.app import messages
from expense_lib.domain.errors import ExpenseError, LedgerUnavailable
from expense_lib.domain.results import Expense
from expense_lib.domain.statement import Said, Verdict
from expense_lib.statements import Row, Rows

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

NEW, SKIP, LATER = "new", "skip", "later"
_WORDS = {NEW: "new", SKIP: "leave out", LATER: "decide later"}
_PROPOSED = {"created": NEW, "held": LATER, "changed": LATER}


@dataclass(frozen=True)
class Offer:
    """What the ledger proposes for a row, and the expenses that it may be, the likeliest first."""

    proposed: str
    candidates: tuple[int, ...]

    @classmethod
    def of(cls, verdict: Verdict) -> Offer | None:
        """That of a verdict of which nobody has said anything; None if there is nothing to say."""
        is_joined = verdict.expense_id is not None and verdict.what == "joined"
        one = (verdict.expense_id,) if is_joined else ()
        found = tuple(dict.fromkeys((*one, *verdict.candidates)))
        if verdict.what == "joined" and found:
            return cls(str(found[0]), found)
        if verdict.what not in _PROPOSED:
            return None
        return cls(_PROPOSED[verdict.what], verdict.candidates if verdict.what == "created" else found)

    def choices(self) -> Iterator[str]:
        """What may be said, the proposal first."""
        same = map(str, self.candidates)
        yield from dict.fromkeys((self.proposed, *same, NEW, SKIP))


@dataclass(frozen=True)
class Decided:
    """What was said of a row, as it was read then, and what had been offered."""

    row: Row
    said: str
    offer: Offer

    @property
    def decision(self) -> Said:
        """As an import takes it."""
        return int(self.said) if self.said.isdigit() else "new" if self.said == NEW else "skip"


class Saids:
    """What was said of the rows of one file.

    Args:
        ledger: Opens the ledger that has the expenses that rows may be.

    Attributes:
        dropped: How many rows the last reading has no more, of those of which something had been said.
    """

    def __init__(self, ledger: Callable[[], AnyLedger]) -> None:
        self._ledger = ledger
        self.forget()

    def forget(self) -> None:
        """Forget all that was said."""
        self._decided: dict[int, Decided] = {}  # by line; never changed in place, since an import reads it
        self._expenses: dict[int, Expense | None] = {}
        self._is_down = False  # then the ledger is not asked for one expense after the other
        self.dropped = 0

    @property
    def decisions(self) -> dict[int, Said]:
        """What was said, by line, as an import takes it."""
        return {line: each.decision for line, each in self._decided.items()}

    def fit(self, rows: Rows) -> None:
        """Drop what was said of rows that are read otherwise now."""
        before = self._decided
        at = {line: position for position, line in enumerate(rows.lines) if line in before} if before else {}
        self._decided = {
            line: each for line, each in before.items() if line in at and _same(each.row, rows[at[line]])
        }
        self._expenses, self._is_down, self.dropped = {}, False, len(before) - len(self._decided)

    def decide(self, row: Row, verdict: Verdict, said: str) -> bool:
        """Say of a row what it is: an expense's id, "new", "skip" or "later"; False if that was no choice."""
        offer = self._offer(verdict)
        if offer is None or said not in offer.choices():
            return False
        others = {line: each for line, each in self._decided.items() if line != row.line}
        self._decided = others if said == offer.proposed else others | {row.line: Decided(row, said, offer)}
        return True

    def choices(self, row: Row, verdict: Verdict) -> tuple[str, list[tuple[str, str]]]:
        """What is said of a row, by somebody or else by the ledger, and all that may be, with its words."""
        offer = self._offer(verdict)
        if offer is None:
            return "", []
        decided = self._decided.get(row.line)
        choices = [(said, self._in_words(said, row)) for said in offer.choices()]
        return decided.said if decided else offer.proposed, choices

    def _offer(self, verdict: Verdict) -> Offer | None:
        decided = self._decided.get(verdict.line)
        return decided.offer if decided else Offer.of(verdict)

    def _in_words(self, said: str, row: Row) -> str:
        """A choice as it is shown: "the same as #12, Lunch, 22 Nov", its amount too if that is another."""
        if not said.isdigit():
            return _WORDS[said]
        found = self._expense(int(said))
        if found is None:
            return f"the same as #{said}"
        return f"the same as #{said}, {messages.beside(found, row.date, row.amount)}"

    def _expense(self, expense_id: int) -> Expense | None:
        """An expense that a row may be; None if it can't be had."""
        if expense_id not in self._expenses and not self._is_down:
            try:
                self._expenses[expense_id] = self._ledger().get(expense_id)
            except ExpenseError as failed:
                self._expenses[expense_id] = None
                self._is_down = isinstance(failed, LedgerUnavailable)
        return self._expenses.get(expense_id)


def _same(one: Row, other: Row) -> bool:
    return (one.date, one.amount, one.description) == (other.date, other.amount, other.description)
