"""Recognises the rows of a statement among those that were told of before: references and equal content.

A reference is evidence: with near content it makes a row known, and with other content it is another
payment's. If as many known references of a file contradict the ledger as agree with it, they are no evidence
at all. Content is what a row says, account, day, amount and folded text, as a multiset.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from expense_lib.domain import keys
from expense_lib.domain.content import folded
from expense_lib.domain.likeness import is_spelled_otherwise
from expense_lib.rules.importing.payments import Payments
from expense_lib.rules.matching import MARGIN_DAYS, iso, ordinal
from expense_lib.store import accounts, tellings
from expense_lib.store.tellings import Told
from expense_lib.store.transaction import Transaction

REFERENCE_DAYS = 10  # how far apart two tellings of one payment, with one reference, may be
REWRITTEN_DAYS = 5  # how far apart a bank's row and what the bank made of it may be
_CHUNK = 10_000  # references looked up at once


class Match(NamedTuple):
    """A row of the ledger that a row of the file is. *is_other*: of another source, so that both are kept."""

    row: Told
    is_other: bool = False


class Recognition:
    """The rows of a file that are known. Rows are named by position.

    Args:
        tx: The transaction.
        payments: The rows.
        is_open: Which of them are to be recognised, a byte each.
        alike: How alike two texts are, 0 if they are not.

    Attributes:
        copies: Rows that say the same as an earlier one, reference included, each with the first of those.
        row_ids: The ledger's row that each row is, of a live expense, from the same source; 0 for none.
        expense_ids: The expenses of these.
        known: The other rows that are in the ledger.
        changed: Rows of which the reference is known, with another amount: the expense's id.
        unclear: Rows of which a row says the same that is of an unknown account: its expense's id.
        references: Each row's reference, as far as it is evidence.
        taken: The expenses that rows of the file are.
    """

    def __init__(
        self, tx: Transaction, payments: Payments, is_open: bytearray, alike: Callable[[str, str], int]
    ) -> None:
        self._tx, self._payments, self._open, self._alike = tx, payments, is_open, alike
        self.copies: dict[int, int] = {}
        self.row_ids = array("q", bytes(8 * payments.size))
        self.expense_ids = array("q", bytes(8 * payments.size))
        self.known: dict[int, Match] = {}
        self.changed: dict[int, int] = {}
        self.unclear: dict[int, int] = {}
        self.references: list[str | None] = payments.rows.references
        self.taken: set[int] = set()
        self._others: dict[int, list[Told]] = {}  # the rows of the ledger of amounts that are not all known
        self._renamed: dict[int, Told] = {}  # the same content with another reference, by position
        self._is_any_known_by_reference = False
        self._find_copies()
        if tellings.any_told(tx):
            self._by_reference()
            self._by_content()
            self._by_content_with_another_reference()

    def _find_copies(self) -> None:
        seen: set[str] = set()
        repeated: set[str] = set()
        for reference in self.references:
            if reference is not None:
                (repeated if reference in seen else seen).add(reference)
        first: dict[tuple[object, ...], int] = {}
        for position, reference in enumerate(self.references) if repeated else ():
            if reference in repeated and self._open[position]:
                said = reference, self._payments.minor[position], *self._payments.content(position)
                earlier = first.setdefault(said, position)
                if earlier != position:
                    self.copies[position] = earlier
                    self._open[position] = 0

    # References

    def _by_reference(self) -> None:
        agreed: set[int] = set()
        agreeing: list[tuple[tuple[int, int, int, int, int], int, Told]] = []
        contradicting: set[int] = set()
        changed: dict[int, int] = {}
        for position, row in self._with_equal_reference():
            mine, theirs = self._payments.account(position), row.account
            minor, day = self._payments.minor[position], self._payments.rows.days[position]
            distance = abs(day - ordinal(row.date))
            text = self._payments.rows.descriptions[position]
            is_near = distance <= REFERENCE_DAYS and bool(self._alike(text, row.text))
            if row.amount_minor == minor and (distance == 0 or is_near):
                is_same = folded(text) == folded(row.text)
                agreed.add(position)
                if is_same and row.alive and distance == 0:
                    if not self._is_known(position) and row.expense_id not in self.taken:
                        self._know(position, row)
                    continue
                rank = (not row.alive, not is_same, distance, position, row.id)
                agreeing.append((rank, position, row))
            elif mine == theirs:
                if is_near:
                    changed.setdefault(position, row.expense_id)
                else:
                    contradicting.add(position)
        if contradicting and len(contradicting - agreed) >= len(agreed):
            self.references = [None] * self._payments.size
            self._forget()
            return
        for _, position, row in sorted(agreeing):
            if not self._is_known(position) and row.expense_id not in self.taken:
                self._know(position, row)
        self._is_any_known_by_reference = bool(agreed)
        self.changed = {position: each for position, each in changed.items() if position not in agreed}

    def _with_equal_reference(self) -> Iterator[tuple[int, Told]]:
        """Each open row with a reference, with each row of the ledger that has it, of no other account."""
        order = sorted(
            (position for position, each in enumerate(self.references) if each and self._open[position]),
            key=lambda position: str(self.references[position]),
        )
        for begin in range(0, len(order), _CHUNK):
            named: defaultdict[str, list[int]] = defaultdict(list)
            for position in order[begin : begin + _CHUNK]:
                named[str(self.references[position])].append(position)
            for row in tellings.of_references(self._tx, named):
                for position in named[str(row.reference)]:
                    mine = self._payments.account(position)
                    if mine == row.account or mine is None or row.account is None:
                        yield position, row
            if tellings.any_digest(self._tx):
                yield from self._with_digest(named)

    def _with_digest(self, named: dict[str, list[int]]) -> Iterator[tuple[int, Told]]:
        """The same for rows of which the ledger has but a digest, the account in any spelling or none."""
        written = {self._payments.rows.accounts[position] for found in named.values() for position in found}
        spelled = accounts.spelled(self._tx, {each or None for each in written})
        digests: dict[bytes, int] = {}
        for reference, positions in named.items():
            for position in positions:
                account = self._payments.rows.accounts[position]
                for name in {account, spelled[account or None] or "", ""}:
                    digests[keys.of_reference(name, reference)] = position
        for digest, row in tellings.of_digests(self._tx, sorted(digests)):
            yield digests[digest], row

    # Content

    def is_from_elsewhere(self, position: int) -> bool:
        """Whether a row is another ledger's expense, in an export of it: nobody here told of it otherwise."""
        reference = self.references[position] or ""
        return "/" in reference and keys.is_key(reference.rpartition("/")[2])

    def _by_content(self) -> None:
        payments, rows = self._payments, self._payments.rows
        order = [
            position
            for position, is_open in enumerate(self._open)
            if is_open and not self._is_known(position) and not self.is_from_elsewhere(position)
        ]
        if not order:
            return
        order.sort(key=lambda position: (payments.minor[position], rows.days[position]))
        amounts = [amount for amount, _ in groupby(order, key=payments.minor.__getitem__)]
        for amount, there in self._told(amounts):
            begin = bisect_left(order, amount, key=payments.minor.__getitem__)
            end = bisect_right(order, amount, key=payments.minor.__getitem__)
            if not self._match(order[begin:end], there):
                self._others[amount] = there

    def _told(self, amounts_minor: Iterable[int]) -> Iterator[tuple[int, list[Told]]]:
        """The rows of the ledger near the days of the file, by amount."""
        days = self._payments.rows.days
        span = iso(min(days) - MARGIN_DAYS), iso(max(days) + MARGIN_DAYS)
        found = tellings.of_amounts(self._tx, amounts_minor, *span)
        for amount, there in groupby(found, key=attrgetter("amount_minor")):
            yield amount, list(there)

    def reopen(self, positions: Iterable[int]) -> None:
        """Have known rows, of imports that were undone, be compared with other rows as new ones are."""
        amounts = {self._payments.minor[position] for position in positions}
        if unseen := amounts - {*self._others}:
            self._others.update(self._told(unseen))

    def _match(self, positions: list[int], there: list[Told]) -> bool:
        """Recognise the rows of one amount by content. Returns whether all are known."""
        waiting: defaultdict[tuple[str | None, int, str], list[int]] = defaultdict(list)
        for position in positions:
            waiting[self._payments.content(position)].append(position)
        there = sorted(there, key=lambda row: not row.alive)
        for is_other in (False, True):
            for row in there:
                is_of_this = not row.layout or row.layout == self._payments.layout
                if row.expense_id in self.taken or is_of_this is is_other:
                    continue
                same = waiting.get((row.account, ordinal(row.date), folded(row.text)))
                if not same or (is_other and row.account is None):
                    continue
                fit = (each for each in same if self.references[each] is None or row.reference is None)
                position = next(fit, -1)
                if position < 0:
                    if row.alive and row.expense_id not in self._renamed_expenses():
                        self._renamed.setdefault(same[0], row)
                else:
                    same.remove(position)
                    self._know(position, row, is_other=is_other)
        left = [position for found in waiting.values() for position in found]
        for position in left:
            self._find_unclear(position, there)
        return not left

    def _renamed_expenses(self) -> set[int]:
        return {row.expense_id for row in self._renamed.values()}

    def _find_unclear(self, position: int, there: Iterable[Told]) -> None:
        """The same row of an unknown account, or of any if this one's is not known."""
        account, day, text = self._payments.content(position)
        for row in there:
            if (
                row.alive
                and row.state in ("live", "held")
                and row.expense_id not in self.taken
                and row.expense_id not in self.unclear.values()
                and None in (account, row.account)
                and (self.references[position] is None or row.reference is None)
                and (ordinal(row.date), folded(row.text)) == (day, text)
            ):
                self.unclear[position] = row.expense_id
                return

    def _by_content_with_another_reference(self) -> None:
        """Two trusted references are of one payment only if a download gives each payment another one.

        So it is where no row is known by its reference, and all days in common pair by content.
        """
        if not self._renamed or self._is_any_known_by_reference:
            return
        rows = self._payments.rows
        for account in {self._payments.account(position) for position in self._renamed}:
            mine = Counter(
                iso(rows.days[position])
                for position in range(self._payments.size)
                if self._payments.account(position) == account and position not in self.copies
            )
            theirs = tellings.days(self._tx, account, iso(min(rows.days)), iso(max(rows.days)))
            paired = Counter(
                iso(rows.days[position])
                for position in range(self._payments.size)
                if self._payments.account(position) == account
                and (position in self._renamed or self._is_known(position))
            )
            if any(not mine[day] == theirs[day] == paired[day] for day in mine if day in theirs):
                continue
            for position, row in self._renamed.items():
                if self._payments.account(position) == account and row.expense_id not in self.taken:
                    self._know(position, row, is_other=True)

    # What the bank made of a row

    def rewritten(self) -> Iterator[tuple[int, list[int], bool]]:
        """Rows of a named account that may be what the bank made of a row that is gone from its statement.

        Each with the expenses that it may be, and whether it is the first of them for certain: a row within
        the days of the file that is not in it, and is alike.
        """
        certain: list[tuple[int, int, int, int, Told]] = []
        doubtful: defaultdict[int, list[tuple[int, int, Told]]] = defaultdict(list)
        for position, row, distance in self._near():
            first, last = self._spans[str(row.account)]
            if first <= ordinal(row.date) <= last:
                likeness = self._alike(self._payments.rows.descriptions[position], row.text)
                if likeness:
                    certain.append((distance, -likeness, position, row.id, row))
                doubtful[position].append((-likeness, distance, row))
        joined: set[int] = set()
        for _, _, position, _, row in sorted(certain, key=lambda each: each[:4]):
            if position not in joined and row.expense_id not in self.taken:
                joined.add(position)
                self.taken.add(row.expense_id)
                yield position, [row.expense_id], True
        for position, found in doubtful.items():
            if position not in joined and (free := self._free(found)):
                yield position, free, False

    def rewritten_before(self) -> Iterator[tuple[int, list[int]]]:
        """Rows that may be what the bank made of a row from before the file's first day.

        Only of one that is alike and spelled otherwise: a daily bus ticket is another each day.
        """
        doubtful: defaultdict[int, list[tuple[int, int, Told]]] = defaultdict(list)
        for position, row, distance in self._near():
            text = self._payments.rows.descriptions[position]
            if ordinal(row.date) < self._spans[str(row.account)][0] and is_spelled_otherwise(text, row.text):
                likeness = self._alike(text, row.text)
                if likeness:
                    doubtful[position].append((-likeness, distance, row))
        for position, found in doubtful.items():
            if free := self._free(found):
                yield position, free

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """The first and the last day of each account in the file."""
        spans: dict[str, tuple[int, int]] = {}
        for position, day in enumerate(self._payments.rows.days):
            account = self._payments.account(position)
            if account is not None:
                first, last = spans.get(account, (day, day))
                spans[account] = min(first, day), max(last, day)
        return spans

    def _free(self, found: list[tuple[int, int, Told]]) -> list[int]:
        """The expenses of rows that no row of the file is, the likeliest and nearest first."""
        ordered = sorted(found, key=lambda each: (*each[:2], each[2].id))
        ids = dict.fromkeys(row.expense_id for _, _, row in ordered)
        return [expense_id for expense_id in ids if expense_id not in self.taken]

    def _near(self) -> Iterator[tuple[int, Told, int]]:
        """Open rows of a named account with free rows of it within REWRITTEN_DAYS, and how many days."""
        payments = self._payments
        by_amount: defaultdict[int, list[int]] = defaultdict(list)
        for position, is_open in enumerate(self._open if self._others else b""):
            if (
                is_open
                and payments.minor[position] in self._others
                and payments.account(position) is not None
            ):
                by_amount[payments.minor[position]].append(position)
        for amount, positions in by_amount.items():
            there = [
                row
                for row in self._others[amount]
                if row.alive and row.state in ("live", "held") and row.expense_id not in self.taken
            ]
            for position in positions:
                account, day, _ = payments.content(position)
                for row in there:
                    distance = abs(ordinal(row.date) - day)
                    if row.account == account and distance <= REWRITTEN_DAYS:
                        yield position, row, distance

    def _is_known(self, position: int) -> bool:
        return bool(self.row_ids[position]) or position in self.known

    def _know(self, position: int, row: Told, *, is_other: bool = False) -> None:
        if row.alive and row.state == "live" and not is_other:
            self.row_ids[position], self.expense_ids[position] = row.id, row.expense_id
        else:
            self.known[position] = Match(row, is_other)
        self.taken.add(row.expense_id)

    def _forget(self) -> None:
        size = 8 * self._payments.size
        self.row_ids, self.expense_ids = array("q", bytes(size)), array("q", bytes(size))
        self.known, self.taken = {}, set()
