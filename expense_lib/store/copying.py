"""A ledger copied to another of any kind: every expense, key, version, log entry, rule and import."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from expense_lib.domain.errors import LedgerUnavailable
from expense_lib.domain.progress import Progress
from expense_lib.store.transaction import Transaction

# What the rows of each table are told apart by.
TABLES: Mapping[str, tuple[str, ...]] = {
    "account": ("key",),
    "category": ("key",),
    "expense": ("id",),
    "log_entry": ("seq",),
    "claim": ("key",),
    "effect": ("number", "kind", "key"),
    "import": ("id",),
    "statement_row": ("id",),
    "row_digest": ("digest",),
    "witness": ("row_id", "import_id"),
    "candidate": ("expense_id", "candidate_id"),
    "apart": ("expense_id", "other_id"),
    "undone": ("number",),
    "alike": ("text", "other"),
    "category_rule": ("id",),
}

_BATCH = 10_000  # rows in memory at once

_COUNT = "SELECT COUNT(*) FROM {table}"
_COLUMNS = "SELECT * FROM {table} LIMIT 0"
_FIRST = "SELECT {columns} FROM {table} ORDER BY {key} LIMIT :rows"
_NEXT = "SELECT {columns} FROM {table} WHERE ({key}) > ({after}) ORDER BY {key} LIMIT :rows"
_INSERT = "INSERT INTO {table} ({columns}) VALUES ({values})"
_ID = "SELECT uid FROM ledger"
_TAKE_ID = "UPDATE ledger SET uid = ?"

Row = tuple[Any, ...]


def copy(source: Transaction, target: Transaction, progress: Progress) -> None:
    """Copy all that the ledger of *source* has, its id too, and compare what came of it, row by row.

    Args:
        source: One snapshot.
        target: Holds the lock of an empty ledger. The caller rolls back if it is not copied.
        progress: Called now and then with how many rows are done, of how many; each is written and compared.

    Raises:
        LedgerUnavailable: there is something in the ledger of *target*, it is of another currency, or it did
            not come out equal.
    """
    if source.currency != target.currency:
        raise LedgerUnavailable("A ledger is copied to one of its own currency.")
    if any(_count(target, table) for table in TABLES):
        raise LedgerUnavailable("A ledger is copied to an empty one: there is something in this one already.")
    done, total = 0, 2 * sum(_count(source, table) for table in TABLES)
    digests = {}
    for table in TABLES:
        there = _columns(target, table)
        columns = [name for name in _columns(source, table) if name in there]
        digest = hashlib.sha256()
        insert = _INSERT.format(table=table, columns=", ".join(columns), values=", ".join("?" * len(columns)))
        for rows in _batches(source, table, columns):
            digest.update(repr(rows).encode())
            target.executemany(insert, rows)
            done += len(rows)
            progress(done, total)
        digests[table] = columns, digest.digest()
    for table, (columns, expected) in digests.items():
        digest = hashlib.sha256()
        for rows in _batches(target, table, columns):
            digest.update(repr(rows).encode())
            done += len(rows)
            progress(done, total)
        if digest.digest() != expected:
            raise LedgerUnavailable("The copy did not come out equal. Nothing was written.")
    target.execute(_TAKE_ID, source.execute(_ID).fetchone())


def _count(tx: Transaction, table: str) -> int:
    return int(tx.execute(_COUNT.format(table=table)).fetchone()[0])


def _columns(tx: Transaction, table: str) -> list[str]:
    """The names of a table's columns, without the one by which an engine keeps ledgers apart."""
    return [name for name, *_ in tx.execute(_COLUMNS.format(table=table)).description if name != "ledger_id"]


def _batches(tx: Transaction, table: str, columns: list[str]) -> Iterator[list[Row]]:
    """The rows of a table in the order of its key, _BATCH at a time."""
    key = TABLES[table]
    names = {"table": table, "columns": ", ".join(columns), "key": ", ".join(key)}
    sql, values = _FIRST.format(**names), {"rows": _BATCH}
    at = [columns.index(name) for name in key]
    while rows := tx.execute(sql, values).fetchall():
        yield rows
        sql = _NEXT.format(**names, after=", ".join(f":{name}" for name in key))
        values |= {name: rows[-1][place] for name, place in zip(key, at, strict=True)}
