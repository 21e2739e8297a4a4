"""The ledger in DuckDB: typed, at column speed, and never in the ledger's way.

    con = analytics.connect(ledger)
    con.sql("SELECT category, sum(amount) FROM expenses GROUP BY ALL")
    analytics.refresh(con)

What changed is copied through the ledger's own connection, or asked of its handler, into a private file;
DuckDB reads that file and never the ledger's, whose locks it would drop. ``questions`` has ready-made ones.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expense_lib.domain.errors import AnalyticsUnavailable

try:
    from duckdb import DuckDBPyConnection
except ModuleNotFoundError:
    raise AnalyticsUnavailable("Analysis needs DuckDB: install expense-ledger[analysis].") from None

from expense_lib.analytics import loading, tables
from expense_lib.analytics.questions import (
    by_category,
    by_month,
    by_month_and_category,
    compared_to_the_year_before,
    recurring,
    running_total,
    top_payees,
)

if TYPE_CHECKING:
    from expense_lib.api import LedgerAPI

__all__ = [
    "by_category",
    "by_month",
    "by_month_and_category",
    "compared_to_the_year_before",
    "connect",
    "recurring",
    "refresh",
    "running_total",
    "top_payees",
]


@dataclass
class _Copy:
    """What a connection is a copy of; how far it goes stands in its own tables."""

    ledger: LedgerAPI
    exponent: int
    lock: threading.Lock = field(default_factory=threading.Lock)


_copies: weakref.WeakKeyDictionary[DuckDBPyConnection, _Copy] = weakref.WeakKeyDictionary()


def connect(ledger: LedgerAPI) -> DuckDBPyConnection:
    """A DuckDB in memory with everything that is in *ledger*. It is the caller's, to query and to close.

    Views:
        expenses: the live ones: id BIGINT, date DATE, amount DECIMAL(18, exponent) in major units, category
            VARCHAR, description VARCHAR, occurrence INTEGER, account VARCHAR (null if it is not known), note
            VARCHAR, tags VARCHAR[], refund BOOLEAN, dedup_key VARCHAR, created_at TIMESTAMPTZ, updated_at
            TIMESTAMPTZ.
        deleted_expenses: the deleted ones, with deleted_at TIMESTAMPTZ.
        history: every version of every expense: seq BIGINT, number BIGINT (of the change, to undo it), by
            VARCHAR (who made it), expense_id BIGINT, version INTEGER, change VARCHAR, at TIMESTAMPTZ, and the
            fields of the expense, date to tags, as above. Of a deleted one, what it was.

    Raises:
        AnalyticsUnavailable: DuckDB's SQLite extension is not installed, or is one for another DuckDB.
        LedgerUnavailable: the ledger can't be read.
    """
    con = loading.open_duckdb()
    try:
        copy = _Copy(ledger, loading.exponent(ledger))
        con.execute(tables.TABLES.format(amount=loading.amount_type(copy.exponent)))
        loading.load(con, ledger, copy.exponent)
    except BaseException:
        con.close()
        raise
    _copies[con] = copy
    return con


def refresh(con: DuckDBPyConnection) -> int:
    """Bring what changed in the ledger since the connection was made or last refreshed: all of it or nothing.

    Args:
        con: The very connection that ``connect`` returned, and no cursor of it.

    Returns:
        How many expenses were added, edited, renamed, deleted or restored since; all of them, if the ledger
        was replaced by another.

    Raises:
        ValueError: ``connect`` did not return this connection.
        LedgerUnavailable: the ledger can't be read.
    """
    copy = _copies.get(con)
    if copy is None:
        raise ValueError("Only the connection that analytics.connect returned can be refreshed.")
    with copy.lock:
        return loading.load(con, copy.ledger, copy.exponent)
