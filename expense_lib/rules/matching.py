"""Finds out which payments that persons and banks told of are one, for whoever tells of one more.

For the amounts that a change has to do with, ``Matching`` loads what was told of near its days, and pairs
what is new or free again (``pairing``). What follows from that is written by ``settlement``.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from expense_lib.domain import likeness
from expense_lib.domain.content import Content
from expense_lib.rules.pairing import AFTER_DAYS, BEFORE_DAYS, Edge, Pairing, Telling, edge
from expense_lib.store import decisions, log, tellings
from expense_lib.store.tellings import Told
from expense_lib.store.transaction import Transaction

MARGIN_DAYS = 31  # how far from a new telling others are paired anew


@dataclass
class Payment:
    """A payment that banks told of: its rows, which stay together, and the expense that has them."""

    rows: list[Told]
    expense_id: int
    is_entered: bool  # whether a person told of that expense
    state: str


@dataclass
class Group:
    """What was told of payments of one amount."""

    persons: dict[int, Telling] = field(default_factory=dict)
    banks: dict[int, Telling] = field(default_factory=dict)
    pairs: dict[int, int] = field(default_factory=dict)
    payments: dict[int, Payment] = field(
        default_factory=dict
    )  # those that are in the ledger, by the bank's id


class Shift(NamedTuple):
    """A payment that another person's expense takes; or none does any more, and it waits."""

    payment: Payment
    to: int | None


class Matching:
    """The tellings of some amounts near some days, to be paired.

    Add what is not in the ledger yet, and then ``pair``. Ids of such persons' tellings are 0 or less, those
    of banks' are negative.

    Args:
        tx: The transaction.
        amounts_minor: The amounts.
        first: The first day that is new, as an ordinal.
        last: The last one.
    """

    def __init__(self, tx: Transaction, amounts_minor: Iterable[int], first: int, last: int) -> None:
        self.groups: defaultdict[int, Group] = defaultdict(Group)
        self.pairings: dict[int, Pairing] = {}
        self._learnt = decisions.alike(tx)
        amounts = set(amounts_minor)
        span = iso(first - MARGIN_DAYS), iso(last + MARGIN_DAYS)
        entered = list(tellings.entered(tx, amounts, *span))
        versions: defaultdict[int, list[Content]] = defaultdict(list)
        edited = [each.id for each in entered if each.version > 1]
        for expense_id, *fields in log.versions(tx, edited):
            versions[expense_id].append(Content(*fields))
        for each in entered:
            day = ordinal(each.date)
            earlier = [(ordinal(version.date), version.description) for version in versions[each.id]]
            told = [(day, each.description), *(was for was in earlier if abs(was[0] - day) <= MARGIN_DAYS)]
            person = Telling(each.id, tuple(dict.fromkeys(told)), each.account)
            self.groups[each.amount_minor].persons[each.id] = person
        self._amount_of = {each.id: each.amount_minor for each in entered}
        self._load_banks(tx, amounts, span)
        held = [
            payment.expense_id
            for group in self.groups.values()
            for payment in group.payments.values()
            if payment.state == "held"
        ]
        self._apart = decisions.apart(tx, {*self._amount_of, *held}) if self._amount_of or held else set()

    def _load_banks(self, tx: Transaction, amounts: set[int], span: tuple[str, str]) -> None:
        by_expense: defaultdict[int, list[Told]] = defaultdict(list)
        for row in tellings.of_amounts(tx, amounts, *span):
            if row.alive and row.state in ("live", "held") and not row.entered:
                by_expense[row.expense_id].append(row)
        for row in tellings.of_expenses(tx, sorted(self._amount_of)):
            if row.alive:
                by_expense[row.expense_id].append(row)
        for expense_id, rows in by_expense.items():
            amount = self._amount_of.get(expense_id, rows[0].amount_minor)
            group, bank_id = self.groups[amount], rows[0].id
            is_fixed = any(row.decided or row.amount_minor != amount for row in rows)
            group.banks[bank_id] = bank_telling(bank_id, rows, is_fixed=is_fixed)
            group.payments[bank_id] = Payment(rows, expense_id, bool(rows[0].entered), rows[0].state)
            if expense_id in self._amount_of:
                group.pairs[bank_id] = expense_id

    def reserve(self, taken: set[int], decided: set[int]) -> None:
        """Keep expenses for rows that are not in the ledger yet.

        Args:
            taken: Those without a row in the ledger are left out; the others may have another one instead.
            decided: Somebody said of these which row they have: they are left as they are.
        """
        for group in self.groups.values():
            for person in (taken | decided) & (set(group.persons) - set(group.pairs.values())):
                del group.persons[person]
            for bank in [bank for bank, person in group.pairs.items() if person in decided]:
                group.banks[bank] = group.banks[bank]._replace(fixed=True)

    def alike(self, one: str, other: str) -> int:
        """How alike two texts are; most of all if somebody said that they are."""
        if self._learnt and learnt(one, other) in self._learnt:
            return likeness.LEARNT
        return likeness.likeness(one, other)

    def pair(
        self,
        persons: Mapping[int, Iterable[int]],
        banks: Mapping[int, Iterable[int]],
        *,
        is_new: bool = False,
    ) -> None:
        """Pair what is new or free again: ids of persons' and of banks' tellings, by amount.

        What *is_new* may bring up doubts of what was paired before; what somebody decided does not.
        """
        for amount in {*persons, *banks}:
            group = self.groups[amount]
            pairing = Pairing(group.persons, group.banks, self._edges(group), group.pairs)
            pairing.pair(persons.get(amount, ()), banks.get(amount, ()))
            if is_new:
                pairing.open_doubts()
            self.pairings[amount] = pairing

    def shifts(self) -> Iterator[Shift]:
        """The payments in the ledger that a person's expense takes and did not have, or that lost theirs."""
        for amount, pairing in self.pairings.items():
            group = self.groups[amount]
            for bank, payment in group.payments.items():
                person = pairing.of_bank.get(bank)
                if person != group.pairs.get(bank):
                    yield Shift(payment, person)

    def freed(self) -> Iterator[int]:
        """The persons' expenses that have no payment any more."""
        for amount, pairing in self.pairings.items():
            yield from (each for each in self.groups[amount].pairs.values() if each not in pairing.of_person)

    def doubts(self, amount: int, bank: int) -> list[int]:
        """The free expenses of persons that a bank's free payment may be, the likeliest first."""
        return self.pairings[amount].doubts(bank)

    def _edges(self, group: Group) -> dict[int, dict[int, Edge]]:
        by_day = sorted((day, person.id) for person in group.persons.values() for day, _ in person.told)
        days = [day for day, _ in by_day]
        found: dict[int, dict[int, Edge]] = {}
        for bank_id, bank in group.banks.items():
            near = {
                person_id
                for day, _ in bank.told
                for _, person_id in by_day[
                    bisect_left(days, day - BEFORE_DAYS) : bisect_right(days, day + AFTER_DAYS)
                ]
            }
            payment = group.payments.get(bank_id)
            edges = {}
            for person_id in sorted(near):
                if payment and pair_of(payment.expense_id, person_id) in self._apart:
                    continue
                between = edge(group.persons[person_id], bank, self.alike)
                if between is not None:
                    edges[person_id] = between
            found[bank_id] = edges
        return found


def bank_telling(bank_id: int, rows: list[Told], *, is_fixed: bool) -> Telling:
    """A payment of which statements told in these rows."""
    account = next((row.account for row in rows if row.account is not None), None)
    return Telling(bank_id, tuple((ordinal(row.date), row.text) for row in rows), account, is_fixed)


def learnt(one: str, other: str) -> tuple[str, str]:
    """Two texts as the ledger keeps that they are alike."""
    first, second = sorted((" ".join(likeness.words(one)), " ".join(likeness.words(other))))
    return first, second


def pair_of(one: int, other: int) -> tuple[int, int]:
    """Two expenses as the ledger keeps that they are two payments."""
    return (one, other) if one < other else (other, one)


def ordinal(date: str) -> int:
    """The day of an ISO date, as a number."""
    return dt.date.fromisoformat(date).toordinal()


def iso(day: int) -> str:
    """The ISO date of a day, or of the calendar's end."""
    return dt.date.fromordinal(min(max(day, 1), dt.date.max.toordinal())).isoformat()
