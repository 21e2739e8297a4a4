"""The rows of a statement as payments of one ledger: what they come to, and what each of them is."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from expense_lib.domain import keys
from expense_lib.domain.money import MAX_MINOR_DIGITS, Currency
from expense_lib.domain.progress import Progress

if TYPE_CHECKING:
    from expense_lib.statements.plan import Plan

TELL_EVERY = 10_000  # rows
DIGEST_BYTES = 32
_POSITION_BYTES = 4


class Payments:
    """The rows of a statement as payments, whatever the ledger has. Rows are named by position, from 0.

    Attributes:
        minor: The minor units of each row, 0 for those that can be no expense.
        unfit: Why those can't be.
        entries: The identity of every other row, followed by its position; sorted. ``split`` takes it apart.
    """

    def __init__(self, plan: Plan, currency: Currency, progress: Progress) -> None:
        self.plan, self.rows, self.size = plan, plan.rows, len(plan.rows)
        self.minor = array("q", bytes(8 * self.size))
        self.dates = {day: dt.date.fromordinal(day).isoformat() for day in set(self.rows.days)}
        self.unfit = dict(_unfit(plan, currency, self.minor))
        self.entries = self._identify(progress)

    def date(self, position: int) -> str:
        """The ISO date of a row."""
        return self.dates[self.rows.days[position]]

    def identity(self, position: int, category_key: str) -> keys.Identity:
        """The identity of a row's expense in this category."""
        return keys.Identity(
            self.minor[position], category_key, self.rows.descriptions[position], self.date(position)
        )

    def _identify(self, progress: Progress) -> list[bytes]:
        rows = self.rows
        found = []
        for position, reference in enumerate(rows.references):
            if not position % TELL_EVERY:
                progress(position // 2, self.size)
            if not self.minor[position]:
                continue
            if reference is None:
                known_as = self._nth(position, 1)
            else:
                # A dedup key names an expense of an export whatever its account, which is but an annotation.
                account = "" if keys.is_key(reference.rpartition("/")[2]) else rows.accounts[position]
                known_as = keys.of_reference(account, reference)
            found.append(entry(known_as, position))
        found.sort()
        for at, n in repeats(found):
            _, position = split(found[at])
            if rows.references[position] is None:
                found[at] = entry(self._nth(position, n), position)
        found.sort()
        return found

    def _nth(self, position: int, n: int) -> bytes:
        rows = self.rows
        return keys.of_content(
            rows.accounts[position],
            self.minor[position],
            rows.descriptions[position],
            self.date(position),
            n,
        )


def entry(digest: bytes, position: int) -> bytes:
    """A digest followed by a row's position: sorted as one text, these stay together."""
    return digest + position.to_bytes(_POSITION_BYTES)


def split(together: bytes) -> tuple[bytes, int]:
    """The digest and the position of an entry."""
    return together[:DIGEST_BYTES], int.from_bytes(together[DIGEST_BYTES:])


def position_of(together: bytes) -> int:
    """The position of an entry."""
    return int.from_bytes(together[DIGEST_BYTES:])


def repeats(entries: list[bytes]) -> Iterator[tuple[int, int]]:
    """Where, in sorted entries, a digest comes again; and the number of times it was there by then."""
    n, last = 1, b""
    for at, together in enumerate(entries):
        digest = together[:DIGEST_BYTES]
        if digest == last:
            n += 1
            yield at, n
        else:
            n, last = 1, digest


def _unfit(plan: Plan, currency: Currency, minor: array[int]) -> Iterator[tuple[int, str]]:
    """Write each row's minor units to *minor*; yield the rows that can't be an expense, and why."""
    rows, exponent, largest = plan.rows, currency.exponent, 10**MAX_MINOR_DIGITS
    for position, units in enumerate(rows.units):
        digits = rows.digits[position]
        if digits <= exponent:
            amount, rest = units * 10 ** (exponent - digits), 0
        else:
            amount, rest = divmod(units, 10 ** (digits - exponent))
        money = rows.currencies[position]
        if money is not None and money.upper() != currency.code:
            yield position, f"It is in another currency; this ledger is kept in {currency.code}."
        elif rest:
            yield (
                position,
                f"Its amount has more than {exponent} fraction digits, all there are in {currency.code}.",
            )
        elif not amount:
            yield position, "Its amount is zero."
        elif abs(amount) >= largest:
            yield position, f"Its amount is too large for a ledger in {currency.code}."
        elif amount < 0 and plan.credits == "skip":
            yield position, "Money came in; credits are left out unless they are asked for as refunds."
        else:
            minor[position] = amount
