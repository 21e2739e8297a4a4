"""The categories of live expenses: how each is spelled, its count and exact total, kept as expenses change.

The sum of minor units is ``total_high * HALF + total_low``: in one integer it could overflow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from expense_lib.domain.content import Content, folded
from expense_lib.domain.rows import LEAVING, Revision, Sum
from expense_lib.store.transaction import Transaction

HALF = 1_000_000_000  # where a sum of minor units is cut in two, so that neither part can overflow

LATEST = 50_000  # expenses, which are looked at for the category of another

Change = tuple[str, str, int, int, int]  # key, name, and what is added to count, total_high and total_low

_NAMES = "SELECT key, name FROM category WHERE key IN (SELECT value FROM json_each(:keys))"
_ALL_NAMES = "SELECT key, name FROM category"
_NAME = "SELECT name FROM category WHERE key = :key"
_RENAME = "UPDATE category SET name = :name WHERE key = :key"
_ADD = """
    INSERT INTO category (key, name, count, total_high, total_low) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
       SET count = category.count + excluded.count,
           total_high = category.total_high + excluded.total_high,
           total_low = category.total_low + excluded.total_low
"""
_TAKE = """
    UPDATE category
       SET count = count + ?, total_high = total_high + ?, total_low = total_low + ?
     WHERE key = ?
"""
_REMOVE = "DELETE FROM category WHERE key = ? AND count = 0"

# Rows: description's key and category's key, of live expenses, the latest first. The index has it all.
_LATEST = """
    SELECT description_key, category_key
      FROM expense INDEXED BY live_by_date
     WHERE deleted_at IS NULL
     ORDER BY date DESC, id DESC
     LIMIT :limit
"""

# Rows by name: name, count, and the sum of minor units in two parts.
_TOTALS = "SELECT name, count, total_high, total_low FROM category ORDER BY key"
_TOTAL = "SELECT name, count, total_high, total_low FROM category WHERE key = :key"


def name(tx: Transaction, key: str) -> str | None:
    """The spelling of a category of live expenses; None if there is none."""
    row = tx.execute(_NAME, {"key": key}).fetchone()
    return None if row is None else str(row[0])


def names(tx: Transaction, keys: Iterable[str] | None = None) -> dict[str, str]:
    """The spelling of categories of live expenses, by key: of all, or of those in *keys*."""
    if keys is None:
        return dict(tx.execute(_ALL_NAMES))
    wanted = list(keys)
    return dict(tx.execute(_NAMES, {"keys": json.dumps(wanted)})) if wanted else {}


def announce(tx: Transaction, keys: Iterable[str]) -> None:
    """Announce that the ``names`` of these will be asked."""
    tx.ahead(_NAMES, {"keys": json.dumps(list(keys))})


def announce_totals(tx: Transaction) -> None:
    """Announce that ``totals`` will be asked."""
    tx.ahead(_TOTALS)


def announce_all(tx: Transaction) -> None:
    """Announce that all ``names`` and the ``latest`` will be asked."""
    tx.ahead(_ALL_NAMES)
    tx.ahead(_LATEST, {"limit": LATEST})


def latest(tx: Transaction) -> Iterator[tuple[str, str]]:
    """The key of the description and of the category of live expenses, the latest LATEST by date first."""
    yield from tx.execute(_LATEST, {"limit": LATEST})


def rename(tx: Transaction, key: str, name: str) -> None:
    """Spell a category anew, where it stands for all its expenses."""
    tx.execute(_RENAME, {"key": key, "name": name})


def totals(tx: Transaction) -> list[tuple[str, Sum]]:
    """Every category that has live expenses, by name, with their count and sum."""
    return [(name, sum_of(parts)) for name, *parts in tx.execute(_TOTALS)]


def total(tx: Transaction, key: str) -> tuple[str, Sum]:
    """The name, count and sum of a category that has live expenses."""
    name, *parts = tx.execute(_TOTAL, {"key": key}).fetchone()
    return name, sum_of(parts)


def change(tx: Transaction, changes: Iterable[Change]) -> None:
    """Add to the totals of categories. One that has no expense any more is gone."""
    more: list[Change] = []
    less: list[Change] = []
    for each in changes:
        (more if each[2] > 0 else less).append(each)
    if less:
        tx.executemany(_TAKE, [(count, high, low, key) for key, _, count, high, low in less])
        tx.executemany(_REMOVE, [(key,) for key, *_ in less])
    tx.executemany(_ADD, more)


def one_more(content: Content) -> Change:
    """The change of a category's totals by one expense more."""
    high = _high(content.amount_minor)
    return content.category_key, content.category, 1, high, content.amount_minor - high * HALF


class Tally:
    """Adds up what expenses add to the totals of categories, or take from them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._sums: dict[str, list[int]] = {}

    def count(self, category: str, amount_minor: int, times: int) -> None:
        """So many expenses more, or less where *times* is negative."""
        key = folded(category)
        if times > 0:
            self._names.setdefault(key, category)
        sums = self._sums.setdefault(key, [0, 0, 0])
        high = _high(amount_minor)
        sums[0] += times
        sums[1] += times * high
        sums[2] += times * (amount_minor - high * HALF)

    def count_all(self, category: str, amounts_minor: Sequence[int]) -> None:
        """So many expenses more."""
        if amounts_minor and min(amounts_minor) > -HALF and max(amounts_minor) < HALF:
            self.count(category, amounts_minor[0], 1)
            sums = self._sums[folded(category)]
            sums[0] += len(amounts_minor) - 1
            sums[2] += sum(amounts_minor) - amounts_minor[0]
        else:
            for amount_minor in amounts_minor:
                self.count(category, amount_minor, 1)

    def revise(self, revisions: Iterable[Revision]) -> None:
        """Each expense less as it was, where it counted, and once more as it is to be, where it will."""
        for row, content, kind in revisions:
            if row.deleted_at is None:
                self.count(row.content.category, row.content.amount_minor, -1)
            if kind not in LEAVING:
                self.count(content.category, content.amount_minor, 1)

    def changes(self) -> list[Change]:
        """The changes of each category's totals; sums are split as SQL does it, each amount toward zero."""
        return [
            (key, self._names.get(key, key), count, high, low)
            for key, (count, high, low) in self._sums.items()
        ]


def _high(amount_minor: int) -> int:
    """The part of an amount that goes into total_high, cut toward zero as SQL does."""
    if -HALF < amount_minor < HALF:
        return 0
    return amount_minor // HALF if amount_minor > 0 else -(-amount_minor // HALF)


def sum_of(parts: Sequence[int | None]) -> Sum:
    """A count and a sum in two parts, as SQL gives them; null where there is nothing."""
    count, high, low = parts
    return Sum(count or 0, (high or 0) * HALF + (low or 0))
