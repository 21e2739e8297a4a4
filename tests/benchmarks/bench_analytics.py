"""How fast analysis is at a million expenses: ``pytest tests/benchmarks/bench_analytics.py``.

Ratios to the same question asked of SQLite on the ledger's file, and of a native DuckDB table, by turns in one run. The
first run makes a ledger of a million expenses, which takes a minute or two.
"""

from __future__ import annotations

import resource
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from pytest_benchmark.fixture import BenchmarkFixture

from expense_lib import Ledger, analytics
from tests.benchmarks.bench_ledger import MILLION, filled
from tests.builders import an_expense

ROUNDS = 9

IN_DUCKDB = "SELECT date_trunc('month', date) AS month, category, sum(amount) FROM expenses GROUP BY ALL"
IN_SQLITE = """
    SELECT substr(date, 1, 7) AS month, category, SUM(amount_minor)
      FROM expense
     WHERE deleted_at IS NULL
     GROUP BY month, category
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return filled(tmp_path_factory.mktemp("analytics") / "large.db", MILLION)


@pytest.fixture(scope="module")
def con(ledger: Ledger) -> Iterator[DuckDBPyConnection]:
    with analytics.connect(ledger) as con:
        yield con


def seconds(action: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def peak_mb() -> float:
    """The most memory that this process has had, where the system counts in KiB, as Linux does."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_first_connect(benchmark: BenchmarkFixture, ledger: Ledger) -> None:
    taken = [seconds(lambda: analytics.connect(ledger).close()) for _ in range(5)]
    benchmark.extra_info["connect, seconds for a million"] = [round(one, 2) for one in taken]
    benchmark.pedantic(lambda: analytics.connect(ledger).close(), rounds=1)  # type: ignore[no-untyped-call]
    assert statistics.median(taken) <= 3


def test_refresh_after_one_change(
    benchmark: BenchmarkFixture, ledger: Ledger, con: DuckDBPyConnection
) -> None:
    taken = []
    for n in range(30):
        ledger.record(an_expense(description=f"{time.time()} {n}"))
        taken.append(seconds(lambda: analytics.refresh(con)))
    benchmark.extra_info["refresh after one change, ms"] = round(statistics.median(taken) * 1000, 1)
    benchmark.pedantic(analytics.refresh, (con,), rounds=1)  # type: ignore[no-untyped-call]
    assert statistics.median(taken) <= 0.05


def test_month_by_category_beside_sqlite_and_a_native_table(
    benchmark: BenchmarkFixture, ledger: Ledger, con: DuckDBPyConnection
) -> None:
    con.execute(
        "CREATE TABLE native AS SELECT id, date, amount, category, description, occurrence FROM expenses"
    )
    native = IN_DUCKDB.replace("expenses", "native")
    to_sqlite, to_native = [], []
    with closing(sqlite3.connect(ledger.path)) as sqlite:
        for _ in range(ROUNDS):
            ours = seconds(lambda: con.execute(IN_DUCKDB).fetchall())
            to_native.append(ours / seconds(lambda: con.execute(native).fetchall()))
            to_sqlite.append(seconds(lambda: sqlite.execute(IN_SQLITE).fetchall()) / ours)
    con.execute("DROP TABLE native")
    benchmark.extra_info |= {
        "SQLite on the ledger's file / ours": round(statistics.median(to_sqlite), 1),
        "ours / a native DuckDB table": round(statistics.median(to_native), 2),
    }
    benchmark.pedantic(lambda: con.execute(IN_DUCKDB).fetchall(), rounds=1)  # type: ignore[no-untyped-call]
    assert statistics.median(to_sqlite) >= 10
    assert statistics.median(to_native) <= 1.3


def test_memory_throughout(benchmark: BenchmarkFixture, con: DuckDBPyConnection) -> None:
    """All questions; what the benchmarks before took counts as well."""
    for question in (
        analytics.by_month,
        analytics.by_month_and_category,
        analytics.running_total,
        analytics.top_payees,
        analytics.compared_to_the_year_before,
        analytics.recurring,
    ):
        benchmark.extra_info[f"{question.__name__}, ms"] = round(
            seconds(lambda ask=question: ask(con).fetchall()) * 1000  # type: ignore[misc]
        )
    benchmark.extra_info["peak memory, MB"] = round(peak_mb())
    benchmark.pedantic(lambda: analytics.by_month(con).fetchall(), rounds=1)  # type: ignore[no-untyped-call]
    assert peak_mb() < 1000
