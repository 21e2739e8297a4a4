"""Sums, averages and comparisons: exact, but for a division's last digit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

from expense_lib.app.filters import last_day, month_after
from expense_lib.domain.filters import SummaryQuery

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)  # more digits than a sum of any ledger has


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of amounts of one currency."""
    summed = Decimal(0)
    for amount in amounts:
        summed = _EXACT.add(summed, amount)
    return summed


def nothing(like: Decimal) -> Decimal:
    """Zero, with as many digits as *like* has."""
    return abs(like * 0)


def average_per_month(amount: Decimal, months: int) -> Decimal:
    """A total over *months*, to the digits that the total has, half to even; the total itself over none."""
    if not months:
        return amount
    average = _EXACT.quantize(_EXACT.divide(amount, Decimal(months)), amount)
    return average or nothing(average)  # no minus before it


def months_spanned(
    date_from: dt.date | None, date_to: dt.date | None, first: dt.date, last: dt.date, today: dt.date
) -> int:
    """Over how many months expenses are spread, the first and the last one counted.

    From the month in which the period begins to that in which it ends. Where it is open, the *first* or
    *last* expense takes its place; of a period that goes on, only the months until *today*'s count, unless an
    expense is later.
    """
    begin = date_from or first
    end = min(date_to, max(last, today)) if date_to else last
    return max(1, (end.year - begin.year) * 12 + end.month - begin.month + 1)


@dataclass(frozen=True)
class Compared:
    """One category, or all of them, in three periods."""

    name: str
    this_month: Decimal
    last_month: Decimal
    year_ago: Decimal

    @property
    def since_last_month(self) -> Decimal:
        """How much more than last month."""
        return _EXACT.subtract(self.this_month, self.last_month)

    @property
    def since_year_ago(self) -> Decimal:
        """How much more than a year ago."""
        return _EXACT.subtract(self.this_month, self.year_ago)


@dataclass(frozen=True)
class Comparison:
    """This month beside the last and beside the same a year ago.

    *periods* are the first and last days that were compared; *rows* are the categories that had any expense,
    the dearest first.
    """

    periods: tuple[tuple[dt.date, dt.date], ...]
    rows: tuple[Compared, ...]
    total: Compared
    currency: str


def compare(ledger: AnyLedger, today: dt.date, *, whole: bool = False) -> Comparison:
    """Compare this month up to *today* with the last and the same a year ago, up to the same day.

    Args:
        ledger: Whose expenses.
        today: The day that it is.
        whole: Compare whole months; this one then includes expenses dated later than today.
    """
    this = today.replace(day=1)
    periods = tuple(
        (first, last_day(first) if whole else min(last_day(first), first + (today - this)))
        for first in (this, month_after(this, -1), month_after(this, -12))
    )
    found = [
        ledger.summary(SummaryQuery(by=("category",), date_from=first, date_to=last))
        for first, last in periods
    ]
    by_name = [{part.category or "": part.total for part in each.items} for each in found]
    names = dict.fromkeys(name for each in by_name for name in each)
    rows = [Compared(name, *(each.get(name, nothing(found[0].total)) for each in by_name)) for name in names]
    return Comparison(
        periods=periods,
        rows=tuple(sorted(rows, key=lambda row: (-row.this_month, -row.last_month, row.name))),
        total=Compared("All", *(each.total for each in found)),
        currency=found[0].currency,
    )
