"""Whether a ledger is sound: every key, every entry of the log and every total computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expense_lib.domain.content import FIELDS, KEYS, Content
from expense_lib.domain.rows import LEAVING
from expense_lib.store import claims
from expense_lib.store.categories import HALF
from expense_lib.store.transaction import Transaction

# Rows: the log, each entry with its expense as it is now.
_LOG = f"""
    SELECT entry.expense_id, entry.version, entry.kind, entry.seq, entry.previous,
           expense.version, expense.state, expense.dedup_key, expense.last_seq,
           {", ".join(f"entry.{name}" for name in FIELDS)},
           {", ".join(f"expense.{name}" for name in FIELDS)},
           {", ".join(f"expense.{name}" for name in KEYS)}
      FROM log_entry AS entry
      JOIN expense ON expense.id = entry.expense_id
     ORDER BY entry.expense_id, entry.version
"""

# Rows: expenses whose number of log lines is not their version.
_UNLOGGED = """
    SELECT expense.id
      FROM expense
      LEFT JOIN log_entry AS entry ON entry.expense_id = expense.id
     GROUP BY expense.id, expense.version
    HAVING COUNT(entry.seq) <> expense.version OR MAX(entry.version) <> expense.version
"""

# Rows: categories whose kept count and sum are not those of their live expenses.
_MISCOUNTED = f"""
    WITH live AS (
        SELECT category_key AS key, COUNT(*) AS count, SUM(amount_minor / {HALF}) AS high,
               SUM(amount_minor % {HALF}) AS low
          FROM expense
         WHERE deleted_at IS NULL
         GROUP BY category_key
    )
    SELECT COALESCE(category.key, live.key)
      FROM category
      FULL JOIN live ON live.key = category.key
     WHERE (category.count, category.total_high, category.total_low)
           IS DISTINCT FROM (live.count, live.high, live.low)
"""

# Rows: expenses that only banks told of, without a row of a statement.
_UNTOLD = """
    SELECT id
      FROM expense
     WHERE entered = 0 AND state IN ('live', 'held') AND part_of IS NULL
       AND id NOT IN (SELECT expense_id FROM statement_row)
"""

# Rows: expenses with a state that contradicts what else they are.
_CONTRADICTORY = """
    SELECT id
      FROM expense
     WHERE (state = 'live') <> (deleted_at IS NULL) OR (state = 'merged') <> (merged_into IS NOT NULL)
"""

# Rows: live payments that are split, whose parts do not add up to the whole.
_UNEVEN = """
    SELECT first.id
      FROM expense AS first
      LEFT JOIN expense AS part ON part.part_of = first.id AND part.deleted_at IS NULL
     WHERE first.whole_minor IS NOT NULL AND first.deleted_at IS NULL
     GROUP BY first.id, first.amount_minor, first.whole_minor
    HAVING first.amount_minor + COALESCE(SUM(part.amount_minor), 0) <> first.whole_minor
"""


def findings(tx: Transaction) -> Iterator[str]:
    """Check a ledger in a snapshot: a sentence for each fault, none if it is sound."""
    for (key,) in tx.execute(_MISCOUNTED):
        yield f"Category {key}: its kept total is not the sum of its expenses."
    for (expense_id,) in tx.execute(_UNLOGGED):
        yield f"Expense {expense_id}: its log is not complete."
    for (expense_id,) in tx.execute(_UNTOLD):
        yield f"Expense {expense_id}: nobody told of it, no person and no statement."
    for (expense_id,) in tx.execute(_CONTRADICTORY):
        yield f"Expense {expense_id}: its state contradicts what else is kept of it."
    for (expense_id,) in tx.execute(_UNEVEN):
        yield f"Expense {expense_id}: its parts do not add up to the payment."
    yield from _of_the_log(tx)


def _of_the_log(tx: Transaction) -> Iterator[str]:
    """Every key recomputed from what was logged, and the last entry of each expense against the expense."""
    before: int | None = None
    end = len(FIELDS)
    for row, logged, key, owner in _with_owners(tx):
        expense_id, version, kind, seq, previous, last_version, state, dedup_key, last_seq = row[:9]
        now, keys = row[9 + end : 9 + 2 * end], row[9 + 2 * end :]
        if owner != expense_id:
            yield f"Expense {expense_id}: the key of its version {version} is not its own."
        if version == 1 and key != dedup_key:
            yield f"Expense {expense_id}: its dedup key is not that of what was recorded."
        if previous != (None if version == 1 else before):
            yield f"Expense {expense_id}: the log of its version {version} does not lead to the one before."
        before = seq
        if version == last_version:
            as_logged = (LEAVING.get(kind, "live"), seq, logged.keys(), logged)
            if ("deleted" if state == "skipped" else state, last_seq, keys, now) != as_logged:
                yield f"Expense {expense_id}: it is not as its log says."


def _with_owners(tx: Transaction) -> Iterator[tuple[tuple[Any, ...], Content, str, int | None]]:
    """The rows of the log, each with its content, the key of that, and which expense owns the key."""
    for rows in claims.chunks(tx.execute(_LOG)):
        contents = [Content(*row[9 : 9 + len(FIELDS)]) for row in rows]
        keys = [content.dedup_key() for content in contents]
        owners = dict(claims.owners(tx, sorted(keys)))
        for row, content, key in zip(rows, contents, keys, strict=True):
            yield row, content, key, owners.get(key)
