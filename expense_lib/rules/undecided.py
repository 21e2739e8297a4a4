"""What is to be decided: payments that wait, and expenses that look like one payment."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal, NamedTuple

from expense_lib.domain.rows import Row
from expense_lib.rules.matching import Matching, ordinal, pair_of
from expense_lib.rules.settlement import kept_candidates
from expense_lib.store import expenses, tellings
from expense_lib.store.transaction import Transaction

_WAITS = "It may be a payment that is there already, told of in other words."
_CHANGED = "The bank told of it otherwise before, or it was corrected."
_PAIR = "Both are of this amount and of near days; they may be one payment."


class Doubt(NamedTuple):
    """A payment that waits, or the later one of a pair, and what it may be, the likeliest first."""

    row: Row
    kind: Literal["row", "pair"]
    candidates: list[int]
    why: str


def undecided(tx: Transaction) -> list[Doubt]:
    """All that is to be decided, by id."""
    held = expenses.held(tx)
    found = [*waiting(tx, held), *_pairs(tx)]
    return sorted(found, key=lambda each: each.row.id)


def of(tx: Transaction, row: Row) -> Doubt | None:
    """What is to be decided about one expense; None if nothing is."""
    if row.state == "held":
        return next(iter(waiting(tx, [row])))
    return next((each for each in _pairs(tx, row) if each.row.id == row.id), None)


def waiting(tx: Transaction, held: list[Row]) -> list[Doubt]:
    """What each of these held expenses may be."""
    if not held:
        return []
    days = [ordinal(row.content.date) for row in held]
    matching = Matching(tx, {row.content.amount_minor for row in held}, min(days), max(days))
    matching.pair(dict.fromkeys(matching.groups, ()), {})
    by_rows: dict[int, list[int]] = {}
    for amount, group in matching.groups.items():
        for bank, payment in group.payments.items():
            by_rows[payment.expense_id] = matching.doubts(amount, bank)
    kept = kept_candidates(tx, [row.id for row in held])
    doubts = []
    for row in held:
        stored = [each.id for each in kept[row.id] if each.state == "live"]
        candidates = list(dict.fromkeys([*by_rows.get(row.id, ()), *stored]))
        doubts.append(Doubt(row, "row", candidates, _CHANGED if kept[row.id] else _WAITS))
    return doubts


def _pairs(tx: Transaction, of: Row | None = None) -> list[Doubt]:
    """Live expenses side by side, one of a person and one of a bank, that may be one payment."""
    matching = _all(tx, of)
    later: defaultdict[int, list[int]] = defaultdict(list)
    for amount, group in matching.groups.items():
        for bank, payment in group.payments.items():
            if payment.state != "live" or payment.is_entered:
                continue
            for person in matching.doubts(amount, bank):
                first, second = pair_of(payment.expense_id, person)
                later[second].append(first)
    rows = expenses.find_all(tx, later)
    return [Doubt(rows[each], "pair", found, _PAIR) for each, found in later.items()]


def _all(tx: Transaction, of: Row | None) -> Matching:
    """The tellings of all amounts of which both a person's and a bank's is free; or those near an expense."""
    if of is not None:
        day = ordinal(of.content.date)
        matching = Matching(tx, [of.whole_minor or of.content.amount_minor], day, day)
    else:
        matching = Matching(tx, tellings.amounts_told_twice(tx), *_EVER)
    matching.pair(dict.fromkeys(matching.groups, ()), {})
    return matching


_EVER = (32, 3_652_000)  # days: all that a ledger may have, but for the margin
