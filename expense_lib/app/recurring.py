"""Payments that likely come again, found in a copy of the ledger in DuckDB."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expense_lib.settings import AnyLedger

MOST = 50


@dataclass(frozen=True)
class Recurring:
    """A payment that came *count* times, every so many days, *last* with that amount, and is due *next*."""

    description: str
    category: str
    count: int
    amount: Decimal
    every_days: int
    last: date
    next: date | None

    def is_due(self, today: date) -> bool:
        """It is to come, or is late on *today* by no more than is usual."""
        return self.next is not None and (today - self.next).days <= max(self.every_days // 5, 3)


class Copies:
    """One copy for each ledger of the process, whoever asks: a hundred thousand expenses take some 30 MB."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._copies: dict[str, Any] = {}

    def recurring(self, ledger: AnyLedger, today: date) -> list[Recurring]:
        """What likely comes again, the dearest first, at most MOST; what stopped coming is left out.

        Raises:
            AnalyticsUnavailable: DuckDB is not installed.
            LedgerUnavailable: the ledger can't be read.
        """
        from expense_lib import analytics  # noqa: PLC0415 - DuckDB is loaded when somebody asks

        with self._lock:
            name = repr(ledger)
            if name not in self._copies:
                self._copies[name] = analytics.connect(ledger)
            else:
                analytics.refresh(self._copies[name])
            found = analytics.recurring(self._copies[name]).fetchall()
        told = (
            Recurring(description, category, count, amount, round(every), last, following)
            for description, category, count, amount, every, last, following in found
        )
        return [each for each in told if each.is_due(today)][:MOST]


copies = Copies()
