"""What was decided, put down in one transaction: table by table, each in its own order."""

from __future__ import annotations

import functools
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat

from expense_lib.domain.progress import Progress
from expense_lib.domain.text import fold
from expense_lib.rules.editing import Deed
from expense_lib.rules.importing.matching import Decision, as_key
from expense_lib.rules.importing.payments import DIGEST_BYTES, TELL_EVERY, position_of
from expense_lib.rules.importing.verdicts import numbers
from expense_lib.rules.recording import found
from expense_lib.store import imports
from expense_lib.store.imports import Created
from expense_lib.store.schema import HALF

_MAX_FOLDED = 65_536


def write(con: sqlite3.Connection, decision: Decision, progress: Progress) -> int:
    """Write what was decided, the caller holding the lock. Returns the import's id."""
    payments, new = decision.payments, decision.new
    deed = Deed(con)
    first_id, first_seq, import_id = imports.next_numbers(con)
    for expense_id, position in enumerate(new, first_id):
        decision.expense_ids[position] = expense_id
    imports.add_import(
        con,
        {
            "id": import_id,
            "at": deed.at,
            "source": payments.plan.source,
            "account": payments.plan.account,
            "first_seq": first_seq,
            "last_seq": first_seq + len(new) + len(decision.back) - 1,
            **numbers(decision),
        },
    )
    if new:
        with imports.without_trigger(con):
            for done, created in _created(decision, first_seq, deed.at, import_id):
                imports.add_expenses(con, created)
                progress((payments.size + done) // 2, payments.size)
        imports.log_created(con, first_id, first_id + len(new) - 1)
        owners = map(decision.expense_ids.__getitem__, map(position_of, decision.keys))
        imports.add_claims(con, zip(map(as_key, decision.keys), owners, strict=True))
        imports.count(con, _sums(decision))
    for position in decision.back:
        deed.restore(found(con, decision.expense_ids[position]))
    imports.take(con, decision.replaced, None)
    taken = [decision.expense_ids[position] for position in (*decision.back, *decision.joined)]
    imports.take(con, taken, import_id)
    imports.add_identities(con, _owned(decision, import_id))
    return import_id


def _created(
    decision: Decision, first_seq: int, at: str, import_id: int
) -> Iterator[tuple[int, Iterable[Created]]]:
    """The new expenses in the order of their ids, TELL_EVERY at a time; and how many that makes so far.

    Put together by columns, which takes half the time.
    """
    payments, rows = decision.payments, decision.payments.rows
    keys = [b""] * payments.size
    for key in decision.keys:
        keys[position_of(key)] = key
    folded = functools.lru_cache(_MAX_FOLDED)(fold)
    for begin in range(0, len(decision.new), TELL_EVERY):
        new = decision.new[begin : begin + TELL_EVERY]
        categories = [decision.categories[position] for position in new]
        descriptions = [rows.descriptions[position] for position in new]
        yield (
            begin + len(new),
            zip(
                (decision.expense_ids[position] for position in new),
                map(payments.minor.__getitem__, new),
                categories,
                map(decision.category_keys.__getitem__, categories),
                descriptions,
                map(folded, descriptions),
                map(payments.date, new),
                (decision.occurrences.get(position, 1) for position in new),
                (as_key(keys[position]) for position in new),
                range(first_seq + begin, first_seq + begin + len(new)),
                repeat(at),
                repeat(at),
                repeat(import_id),
                strict=False,
            ),
        )


def _owned(decision: Decision, import_id: int) -> Iterator[tuple[bytes, int, int]]:
    """Every identity that is given now, with its expense; in their order."""
    given = bytearray(decision.payments.size)
    for position in (*decision.new, *decision.back, *decision.joined):
        given[position] = 1
    for together in decision.payments.entries:
        position = position_of(together)
        if given[position]:
            yield together[:DIGEST_BYTES], decision.expense_ids[position], import_id


def _sums(decision: Decision) -> Iterator[tuple[str, str, int, int, int]]:
    """What each category gets: key, name, count, and minor units in two parts, cut as SQLite does."""
    counts: Counter[str] = Counter()
    highs: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for position in decision.new:
        category, minor = decision.categories[position], decision.payments.minor[position]
        counts[category] += 1
        totals[category] += minor
        if not -HALF < minor < HALF:
            highs[category] += minor // HALF if minor > 0 else -(-minor // HALF)
    for category, count in counts.items():
        high = highs[category]
        yield decision.category_keys[category], category, count, high, totals[category] - high * HALF
