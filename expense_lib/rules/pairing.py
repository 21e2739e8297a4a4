"""Pairs payments that persons told of with payments that banks told of: pure functions over one amount.

A *telling* is one payment as somebody told of it. Between a person's and a bank's there is an edge if they
may be one payment: the person's day is from BEFORE_DAYS before the bank's to AFTER_DAYS after, and their
accounts don't contradict. The edge is *certain* if both name the same account, or the texts are alike.

Certain edges make pairs, as many as there can be at all: where a telling finds no free partner, pairs that
nobody decided are paired anew if one more then finds one. So the order in which tellings come does not
matter. Only what is then alone, on both sides of an edge, is a *doubt*.

Which of equal tellings are left alone is open, as long as there are as many pairs. So where one is alone and
nothing is in doubt, pairs are made otherwise if a doubt then comes up: to ask is better than to count twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from expense_lib.domain.likeness import likeness

BEFORE_DAYS = 5
AFTER_DAYS = 1

Likeness = Callable[[str, str], int]


class Telling(NamedTuple):
    """One payment, as a person or as a bank told of it.

    Attributes:
        id: Names it among its kind.
        told: The days (ordinals) and texts by which it was told of: a corrected expense has several, and so
            has a payment of which several statements told.
        account: The folded account; None where it is not known.
        fixed: Whether somebody decided whom it is paired with; for a bank's.
    """

    id: int
    told: tuple[tuple[int, str], ...]
    account: str | None
    fixed: bool = False

    @property
    def day(self) -> int:
        """The first day."""
        return self.told[0][0]


class Edge(NamedTuple):
    """Two tellings that may be one payment."""

    likeness: int
    is_certain: bool


def edge(person: Telling, bank: Telling, alike: Likeness = likeness) -> Edge | None:
    """Whether the two may be one payment, and how certain that is; None if they can't be."""
    if person.account is not None and bank.account is not None and person.account != bank.account:
        return None
    near = any(
        day - BEFORE_DAYS <= said <= day + AFTER_DAYS for said, _ in person.told for day, _ in bank.told
    )
    if not near:
        return None
    best = max(alike(said, text) for _, said in person.told for _, text in bank.told)
    if person.account is not None and bank.account is None:  # it may be cash, of which no statement knows
        return Edge(best, is_certain=False) if best else None
    return Edge(best, is_certain=bool(best) or person.account is not None)


class Pairing:
    """The pairs among the tellings of one amount, and what is left in doubt.

    Args:
        persons: Their tellings, by id.
        banks: Theirs.
        edges: For each bank's id, the persons' ids it may be paired with; those that somebody told apart
            are none.
        pairs: Which person's telling each bank's is paired with already.
    """

    def __init__(
        self,
        persons: Mapping[int, Telling],
        banks: Mapping[int, Telling],
        edges: Mapping[int, Mapping[int, Edge]],
        pairs: Mapping[int, int],
    ) -> None:
        self.persons, self.banks, self.edges = persons, banks, edges
        self.of_bank = dict(pairs)
        self.of_person = {person: bank for bank, person in pairs.items()}
        self.opened: set[int] = (
            set()
        )  # free banks' tellings that are in doubt since pairs were made otherwise
        self._reverse: dict[int, list[int]] = {}
        for bank, found in edges.items():
            for person in found:
                self._reverse.setdefault(person, []).append(bank)

    def pair(self, persons: Iterable[int], banks: Iterable[int]) -> None:
        """Pair these, new or free again, for certain; the best likeness first, then in order of days."""
        new_persons, new_banks = set(persons), set(banks)
        free = [
            (-found.likeness, self.banks[bank].day, bank, self.persons[person].day, person)
            for bank in self.edges
            for person, found in self.edges[bank].items()
            if found.is_certain and (bank in new_banks or person in new_persons)
        ]
        for *_, bank, _, person in sorted(free):
            if bank not in self.of_bank and person not in self.of_person:
                self._join(bank, person)
        for bank in sorted(new_banks, key=lambda each: (self.banks[each].day, each)):
            if bank not in self.of_bank:
                self._augment(bank, self._certain_persons, self.of_person, self.of_bank)
        for person in sorted(new_persons, key=lambda each: (self.persons[each].day, each)):
            if person not in self.of_person:
                self._augment(person, self._certain_banks, self.of_bank, self.of_person)

    def open_doubts(self) -> None:
        """Where a bank's telling is alone and not in doubt, make pairs otherwise if a doubt then comes up."""
        alone = [bank for bank, found in self.edges.items() if found and bank not in self.of_bank]
        seen: set[int] = set()  # from where no doubt is reached
        for bank in sorted(alone, key=lambda each: (self.banks[each].day, each)):
            if not self.doubts(bank) and not self._leave_another(bank, seen) and self._leave_a_person(bank):
                self.opened.add(bank)

    def doubts(self, bank: int) -> list[int]:
        """The free persons' tellings that a free bank's may be one with, the likeliest first."""
        if bank in self.of_bank:
            return []
        day = self.banks[bank].day
        return sorted(
            (person for person in self.edges.get(bank, ()) if person not in self.of_person),
            key=lambda person: (
                -self.edges[bank][person].likeness,
                abs(self.persons[person].day - day),
                person,
            ),
        )

    def _leave_another(self, start: int, seen: set[int]) -> bool:
        """Pair a bank's telling at the cost of another one, which is in doubt then."""
        came_from: dict[int, tuple[int, int]] = {}
        waiting = deque([start])
        while waiting:
            bank = waiting.popleft()
            for person in self._certain_persons(bank):
                other = self.of_person.get(person)
                if other is None or other in seen or self.banks[other].fixed:
                    continue
                seen.add(other)
                came_from[other] = bank, person
                if any(each not in self.of_person for each in self.edges[other]):
                    self._give_up(other, start, came_from)
                    seen.clear()
                    return True
                waiting.append(other)
        return False

    def _give_up(self, bank: int, start: int, came_from: Mapping[int, tuple[int, int]]) -> None:
        del self.of_bank[bank]
        self.opened.add(bank)
        while bank != start:
            bank, person = came_from[bank]
            self._join(bank, person)

    def _leave_a_person(self, bank: int) -> bool:
        """Pair a person's telling's bank with another person's: it is what this bank's may be then."""
        for person in self.edges[bank]:
            other = self.of_person.get(person)
            if other is None or self.banks[other].fixed:
                continue
            del self.of_bank[other], self.of_person[person]
            self._augment(other, partial(self._certain_persons, but=person), self.of_person, self.of_bank)
            if other in self.of_bank:
                return True
            self._join(other, person)
        return False

    def _join(self, bank: int, person: int) -> None:
        self.of_bank[bank], self.of_person[person] = person, bank

    def _certain_persons(self, bank: int, but: int | None = None) -> list[int]:
        found = self.edges.get(bank, {})
        return sorted(
            (person for person in found if found[person].is_certain and person != but),
            key=lambda person: (-found[person].likeness, self.persons[person].day, person),
        )

    def _certain_banks(self, person: int) -> list[int]:
        found = [bank for bank in self._reverse.get(person, ()) if self.edges[bank][person].is_certain]
        return sorted(
            found, key=lambda bank: (-self.edges[bank][person].likeness, self.banks[bank].day, bank)
        )

    def _augment(
        self,
        start: int,
        partners: Callable[[int], list[int]],
        of_partner: dict[int, int],
        of_own: dict[int, int],
    ) -> None:
        """Find the shortest alternating path from a free telling to a free partner, and flip its pairs."""
        came_from: dict[int, int] = {}
        waiting = deque([start])
        while waiting:
            own = waiting.popleft()
            for partner in partners(own):
                if partner in came_from:
                    continue
                came_from[partner] = own
                other = of_partner.get(partner)
                if other is None:
                    self._flip(partner, came_from, of_partner, of_own)
                    return
                if not self._is_fixed(partner, other, of_own is self.of_bank):
                    waiting.append(other)

    def _flip(
        self, partner: int, came_from: dict[int, int], of_partner: dict[int, int], of_own: dict[int, int]
    ) -> None:
        while True:
            own = came_from[partner]
            before = of_own.get(own)
            of_own[own], of_partner[partner] = partner, own
            if before is None:
                return
            partner = before

    def _is_fixed(self, partner: int, other: int, own_is_bank: bool) -> bool:
        return self.banks[other if own_is_bank else partner].fixed
