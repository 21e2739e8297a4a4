"""Queries over many expenses: pages, totals, summaries. Each works in the caller's transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from expense_lib.domain.filters import PARTS, ExpenseFilter, Filter, Sort, SummaryQuery
from expense_lib.domain.rows import Row, Sum
from expense_lib.store.categories import HALF, names, sum_of
from expense_lib.store.conditions import alternatives, index_of, scans, where
from expense_lib.store.expenses import SELECT
from expense_lib.store.transaction import Transaction

# How each sort orders the list, and what comes after the row that a cursor names; ties go by id.
_ORDERS: dict[Sort, tuple[str, str]] = {
    "date_desc": ("date DESC, id DESC", "(date, id) < (:after, :after_id)"),
    "date_asc": ("date, id", "(date, id) > (:after, :after_id)"),
    "amount_desc": ("amount_minor DESC, id DESC", "(amount_minor, id) < (:after, :after_id)"),
    "amount_asc": ("amount_minor, id", "(amount_minor, id) > (:after, :after_id)"),
}

# Rows as Row has them. Which they are is found in an index that holds all that the filter asks: left to
# itself, SQLite takes one that does not, and looks into a million rows.
_PAGE = """
    {expense}
     WHERE id IN (
           SELECT id
             FROM expense INDEXED BY {index}
            WHERE {conditions}
            ORDER BY {order}
            LIMIT :rows
     )
     ORDER BY {order}
"""

# Rows: count and the sum of minor units in two parts, of all that match, and a row of the page as Row has it;
# one with nulls where the page is empty. For ``scans``: where few match, each expense is looked at once for
# both; where many do, the page is found by the order's index, and the sums by another look.
FEW = 5_000
_PAGE_WITH_SUM = f"""
    WITH few AS MATERIALIZED ({{few}}),
         many(are) AS MATERIALIZED (SELECT COUNT(*) >= :few FROM few),
         page AS (
             (SELECT id
                FROM few
               WHERE NOT (SELECT are FROM many) AND {{beyond}}
               ORDER BY {{order}}
               LIMIT :rows)
              UNION ALL
             (SELECT id
                FROM expense
               WHERE (SELECT are FROM many) AND {{conditions}} AND {{beyond}}
               ORDER BY {{order}}
               LIMIT :rows)
         ),
         sums(count, high, low) AS (
             SELECT COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
               FROM few
              WHERE NOT (SELECT are FROM many)
              UNION ALL
             SELECT COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
               FROM expense
              WHERE (SELECT are FROM many) AND {{conditions}}
         )
    SELECT summed.*, found.*
      FROM (SELECT SUM(count), SUM(high), SUM(low) FROM sums) AS summed
      LEFT JOIN ({SELECT} WHERE id IN (SELECT id FROM page)) AS found ON TRUE
     ORDER BY {{order}}
"""

_SOME = "(SELECT id, date, amount_minor FROM expense WHERE {conditions} LIMIT :few)"

_MATCHING = "{expense} INDEXED BY {index} WHERE {conditions} ORDER BY date, id"
_EXPENSES = "SELECT COUNT(*) FROM expense"

# One row: count, and the sum of minor units in two parts.
_SUM = f"""
    SELECT COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
      FROM expense INDEXED BY {{index}}
     WHERE {{conditions}}
"""

# One row: the first and the last day.
_DAYS = """
    SELECT (SELECT date FROM expense INDEXED BY {index} WHERE {conditions} ORDER BY date, id LIMIT 1),
           (SELECT date FROM expense INDEXED BY {index} WHERE {conditions}
             ORDER BY date DESC, id DESC
             LIMIT 1)
"""

_DAYS_OF_SCAN = "SELECT MIN(date), MAX(date) FROM expense WHERE {conditions}"

# Rows by one or two of the parts below: those, count, and the sum of minor units in two parts.
_SUMMARY = f"""
    SELECT {{parts}}, COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
      FROM expense INDEXED BY {{index}}
     WHERE {{conditions}}
     GROUP BY {{parts}}
     ORDER BY {{parts}}
"""
_PARTS = {
    "month": "substr(date, 1, 7)",
    "category": "category_key",
    "account": "COALESCE(account_key, '')",
    "tag": "tags_key",
}
_ACCOUNT_NAMES = "SELECT key, name FROM account"

# Rows by account: its key, count, and the sum of minor units in two parts.
_ACCOUNTS = f"""
    SELECT account_key, COUNT(*), SUM(amount_minor / {HALF}), SUM(amount_minor % {HALF})
      FROM expense INDEXED BY live_by_date
     WHERE deleted_at IS NULL AND account_key IS NOT NULL
     GROUP BY account_key
     ORDER BY account_key
"""

# The same of all categories, and of those whose keys are given as a JSON list.
_SUM_OF_ALL = "SELECT SUM(count), SUM(total_high), SUM(total_low) FROM category"
_SUM_OF_CATEGORIES = f"{_SUM_OF_ALL} WHERE key IN (SELECT value FROM json_each(:keys))"


def page(tx: Transaction, wanted: ExpenseFilter, after: tuple[str | int, int] | None) -> list[Row]:
    """Up to ``wanted.limit + 1`` expenses in their order; *after* is the last one's sorted value and id."""
    order, beyond = _ORDERS[wanted.sort]
    conditions, values = where(tx, wanted)
    if after is not None:
        conditions.append(beyond)
        values |= {"after": after[0], "after_id": after[1]}
    sql = _PAGE.format(
        expense=SELECT, index=index_of(wanted), conditions=" AND ".join(conditions), order=order
    )
    return [Row.of(row) for row in tx.execute(sql, values | {"rows": wanted.limit + 1})]


def total(tx: Transaction, wanted: Filter, first: list[Row] | None = None) -> Sum:
    """Count and exact sum of all expenses that match, whatever the page.

    Args:
        tx: The transaction that read the page.
        wanted: The filter.
        first: What ``page`` gave, if it was the first page. It needs no second look.
    """
    conditions, values = where(tx, wanted)
    if set(values) <= {"category"}:
        return sum_of(tx.execute(*_kept_sum(wanted)).fetchone())
    seen = Sum(0, 0)
    if (
        first is not None
        and isinstance(wanted, ExpenseFilter)
        and (len(first) <= wanted.limit or wanted.sort.startswith("date"))
    ):
        seen = Sum(len(first), sum(row.content.amount_minor for row in first))
        if len(first) <= wanted.limit:
            return seen
        conditions.append(_ORDERS[wanted.sort][1])
        values |= {"after": first[-1].content.date, "after_id": first[-1].id}
    sql = _SUM.format(index=index_of(wanted), conditions=" AND ".join(conditions))
    rest = sum_of(tx.execute(sql, values).fetchone())
    return Sum(seen.count + rest.count, seen.total_minor + rest.total_minor)


def page_with_total(
    tx: Transaction, wanted: ExpenseFilter, after: tuple[str | int, int] | None
) -> tuple[list[Row], Sum]:
    """The ``page`` and the ``total`` of all that match, by one statement where the ledger is remote."""
    if not scans(tx, wanted):
        announce_total(tx, wanted)
        found = page(tx, wanted, after)
        return found, total(tx, wanted, found if after is None and not tx.is_remote else None)
    order, beyond = _ORDERS[wanted.sort]
    conditions, values = where(tx, wanted)
    if after is not None:
        values |= {"after": after[0], "after_id": after[1]}
    sql = _PAGE_WITH_SUM.format(
        few=" UNION ".join(_SOME.format(conditions=each) for each in alternatives(tx, wanted)),
        conditions=" AND ".join(conditions),
        beyond="TRUE" if after is None else beyond,
        order=order,
    )
    rows = tx.execute(sql, values | {"rows": wanted.limit + 1, "few": FEW}).fetchall()
    return [Row.of(row[3:]) for row in rows if row[3] is not None], sum_of(rows[0][:3])


def announce_days(tx: Transaction, wanted: Filter) -> None:
    """Announce that ``days`` will be asked."""
    if tx.is_remote:
        tx.ahead(*_days(tx, wanted))


def announce_total(tx: Transaction, wanted: Filter) -> None:
    """Announce that the ``total`` of all that match will be asked."""
    if not tx.is_remote:
        return
    conditions, values = where(tx, wanted)
    if set(values) <= {"category"}:
        tx.ahead(*_kept_sum(wanted))
    else:
        tx.ahead(_SUM.format(index=index_of(wanted), conditions=" AND ".join(conditions)), values)


def _kept_sum(wanted: Filter) -> tuple[str, dict[str, str]]:
    """The statement, with its values, that adds up the kept sums of categories: of all, or of some."""
    keys = wanted.keys("category")
    return _SUM_OF_CATEGORIES if keys else _SUM_OF_ALL, {"keys": json.dumps(keys)}


def days(tx: Transaction, wanted: Filter) -> tuple[str, str] | None:
    """The first and the last day of the expenses that match, ISO; None if there are none."""
    first, last = tx.execute(*_days(tx, wanted)).fetchone()
    return None if first is None else (first, last)


def _days(tx: Transaction, wanted: Filter) -> tuple[str, dict[str, Any]]:
    """The statement of ``days``, with its values."""
    conditions, values = where(tx, wanted)
    sql = _DAYS_OF_SCAN if scans(tx, wanted) else _DAYS
    return sql.format(index=index_of(wanted), conditions=" AND ".join(conditions)), values


def matching(tx: Transaction, wanted: Filter) -> Iterator[Row]:
    """All expenses that match, by date and id."""
    conditions, values = where(tx, wanted)
    sql = _MATCHING.format(expense=SELECT, index=index_of(wanted), conditions=" AND ".join(conditions))
    return map(Row.of, tx.execute(sql, values))


def number_of_expenses(tx: Transaction) -> int:
    """The number of expenses, deleted ones included."""
    return int(tx.execute(_EXPENSES).fetchone()[0])


def summary(tx: Transaction, wanted: SummaryQuery) -> tuple[list[tuple[Mapping[str, str], Sum]], Sum]:
    """The sums of the expenses that match, by the parts asked for in the order of PARTS; and the sum of all.

    A month is YYYY-MM. An expense that has several tags counts for each, and once in the sum of all.
    """
    by = [part for part in PARTS if part in wanted.by]
    conditions, values = where(tx, wanted)
    plain = by == ["category"] and set(values) <= {
        "category",
        "date_from",
        "date_to",
        "amount_min",
        "amount_max",
    }
    sql = _SUMMARY.format(
        parts=", ".join(_PARTS[part] for part in by),
        index="live_by_category" if plain else index_of(wanted),
        conditions=" AND ".join(conditions),
    )
    found = [(key[: len(by)], sum_of(key[len(by) :])) for key in tx.execute(sql, values)]
    total = Sum(sum(each.count for _, each in found), sum(each.total_minor for _, each in found))
    if "tag" in by:
        found = _by_each_tag(found, by.index("tag"))
    spelled = {"category": names(tx), "account": dict(tx.execute(_ACCOUNT_NAMES))}
    named: list[tuple[Mapping[str, str], Sum]] = [
        ({part: spelled.get(part, {}).get(key, key) for part, key in zip(by, keys, strict=True)}, each)
        for keys, each in found
    ]
    return named, total


def _by_each_tag(found: list[tuple[tuple[str, ...], Sum]], at: int) -> list[tuple[tuple[str, ...], Sum]]:
    """The sums by sets of tags, which stand *at* this part, as sums by tag; empty where there is none."""
    counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
    totals: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for keys, each in found:
        for tag in keys[at].split() or [""]:
            key = (*keys[:at], tag, *keys[at + 1 :])
            counts[key] += each.count
            totals[key] += each.total_minor
    return [(key, Sum(counts[key], totals[key])) for key in sorted(counts)]


def accounts(tx: Transaction) -> list[tuple[str, Sum]]:
    """Every account that has live expenses, by name, with their count and sum."""
    spelled = dict(tx.execute(_ACCOUNT_NAMES))
    return [(spelled.get(key, key), sum_of(parts)) for key, *parts in tx.execute(_ACCOUNTS)]
